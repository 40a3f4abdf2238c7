-- As of when the older days of an entity were looked at, if not all days are looked at by every run.
--
-- Reads:   nothing
-- Writes:  schema kalends, kalends.entity
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

-- The first of the days that every run looks at; NULL if all days were proven together. The proof of the entity is that
-- of these days.
ALTER TABLE kalends.entity ADD COLUMN recent_from date;

-- The days before, without gaps, each with the moment of production's data that they were last looked at as of and
-- found or made equal.
CREATE TABLE kalends.looked (
    entity text NOT NULL REFERENCES kalends.entity (name) ON DELETE CASCADE,
    -- -infinity for the first of all.
    from_day date NOT NULL,
    until_day date NOT NULL CHECK (until_day > from_day),
    as_of timestamptz NOT NULL,
    PRIMARY KEY (entity, from_day)
);

-- Production's counters of rows at the time of a look. They only ever make a run look at more.
CREATE TABLE kalends.counted (
    entity text PRIMARY KEY REFERENCES kalends.entity (name) ON DELETE CASCADE,
    noted jsonb NOT NULL
);

-- As before, and the first of the days that the proof is of, and the moment that all older days were looked at as of,
-- or later.
CREATE OR REPLACE VIEW kalends.freshness AS
SELECT
    CASE WHEN confirmed.holds THEN confirmed.moment ELSE entity.proven_as_of END AS proven_at,
    entity.name AS entity,
    entity.whole,
    entity.settled_as_of AS settled_at,
    entity.settlement,
    entity.recent_from,
    (SELECT min(looked.as_of) FROM kalends.looked AS looked WHERE looked.entity = entity.name) AS older_at
FROM kalends.entity AS entity
LEFT JOIN pg_catalog.pg_sequences AS noted
    ON noted.schemaname = 'kalends' AND noted.sequencename = format('confirmed_%s', entity.number)
CROSS JOIN LATERAL (
    SELECT
        entity.whole AND (noted.last_value & 2047) = (entity.settlement & 2047) AS holds,
        TIMESTAMPTZ 'epoch' + (noted.last_value >> 11) * INTERVAL '1 microsecond' AS moment
) AS confirmed;
