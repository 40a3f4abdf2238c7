-- What readers of the figures may know of them: as of when they are proven, without any right on schema kalends.
--
-- Reads:   nothing
-- Writes:  schema kalends_stats
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

-- Each entity's last whole proof. Who may not read the sequences of schema kalends sees that of the last settlement,
-- and not those of later runs which found nothing to do: docs/grants.sql lets readers read them.
CREATE VIEW kalends_stats.freshness AS
SELECT
    fresh.entity,
    fresh.proven_at,
    -- The last day that had ended by then.
    kalends.open_from(
        fresh.proven_at, coalesce(entity.definition #>> '{entity,time_zone}', 'UTC')
    ) - 1 AS complete_through,
    -- Whether nothing was settled since. False between the months of a run, and where something was settled while a
    -- part was held.
    fresh.whole,
    -- If not all days were looked at then: the first of those that were, and when the others were, or later.
    fresh.recent_from,
    fresh.older_at AS older_proven_at
FROM kalends.freshness AS fresh
INNER JOIN kalends.entity AS entity ON fresh.entity = entity.name;
