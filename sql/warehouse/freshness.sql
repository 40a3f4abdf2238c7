-- As of when each entity was proven equal to production, how long ago that is by the warehouse's clock, and the moment
-- of production's data that was settled last. If the proof is that of the recent days, also as of when all older ones
-- were looked at.
--
-- Reads:   kalends.freshness
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    entity,
    whole,
    to_char(proven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS proven_as_of,
    extract(epoch FROM proven_at)::double precision AS proven_seconds,
    -- The two clocks may differ a little.
    greatest(extract(epoch FROM clock_timestamp() - proven_at), 0)::double precision AS age_seconds,
    settlement,
    to_char(settled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS settled_as_of,
    recent_from,
    to_char(older_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS older_as_of,
    extract(epoch FROM older_at)::double precision AS older_seconds,
    greatest(extract(epoch FROM clock_timestamp() - older_at), 0)::double precision AS older_age_seconds
FROM kalends.freshness
ORDER BY entity COLLATE "C"
