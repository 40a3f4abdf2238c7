-- What is known of each entity: how often it was settled, and as of when all of it was last proven equal to production.
--
-- Reads:   kalends.entity, kalends.source
-- Writes:  schema kalends, kalends.state
-- Params:  none
-- Repeat:  once, in the transaction that notes the version

ALTER TABLE kalends.entity
    -- Names the sequence kalends.confirmed_N, which see below.
    ADD COLUMN number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- Counts the transactions that settled something of the entity.
    ADD COLUMN settlement bigint NOT NULL DEFAULT 0,
    -- The moment of production's data that the last of them settled.
    ADD COLUMN settled_as_of timestamptz,
    -- The last moment at which the whole entity was proven equal to production; NULL until the first.
    ADD COLUMN proven_as_of timestamptz,
    -- Whether nothing was settled since then. False between the months of a run, and where something was settled while
    -- a part was held.
    ADD COLUMN whole boolean NOT NULL DEFAULT false;

UPDATE kalends.entity AS settled
SET settled_as_of = source.production_as_of::timestamptz, settlement = state.generation
FROM kalends.source AS source, kalends.state AS state
WHERE source.entity = settled.name;

-- The moments of production's data that were settled of each entity, each with the last settlement of it. By these a
-- warehouse knows whether files were published from what it is itself, or from a later state that it was restored from
-- before.
CREATE TABLE kalends.settled (
    entity text NOT NULL,
    as_of timestamptz NOT NULL,
    settlement bigint NOT NULL,
    PRIMARY KEY (entity, as_of)
);

INSERT INTO kalends.settled (entity, as_of, settlement)
SELECT name, settled_as_of, settlement FROM kalends.entity WHERE settled_as_of IS NOT NULL;

-- A run with nothing to do confirms the proof, and is to change no tuple: it sets a sequence of the entity. The value
-- is the moment in microseconds since 1970, times 2048, and in the lowest 11 bits the number of the settlement that is
-- confirmed. Sequences are not transactional; by that number a reader sees whether the value belongs to the accounts of
-- its snapshot.
DO $$
DECLARE
    entity record;
BEGIN
    FOR entity IN SELECT number FROM kalends.entity LOOP
        EXECUTE format('CREATE SEQUENCE kalends.confirmed_%s MINVALUE -9223372036854775807', entity.number);
    END LOOP;
END
$$;

-- Of each entity: the moment that it is proven as of, whether nothing was settled since, and the moment that was
-- settled last.
CREATE OR REPLACE VIEW kalends.freshness AS
SELECT
    CASE WHEN confirmed.holds THEN confirmed.moment ELSE entity.proven_as_of END AS proven_at,
    entity.name AS entity,
    entity.whole,
    entity.settled_as_of AS settled_at,
    entity.settlement
FROM kalends.entity AS entity
LEFT JOIN pg_catalog.pg_sequences AS noted
    ON noted.schemaname = 'kalends' AND noted.sequencename = format('confirmed_%s', entity.number)
CROSS JOIN LATERAL (
    SELECT
        entity.whole AND (noted.last_value & 2047) = (entity.settlement & 2047) AS holds,
        TIMESTAMPTZ 'epoch' + (noted.last_value >> 11) * INTERVAL '1 microsecond' AS moment
) AS confirmed;

-- As before, but of whole parts and the rest, so that the mean of the largest numbers that there are is one of them as
-- well: what could be settled and not be printed would keep all of its entity from being published.
CREATE OR REPLACE FUNCTION kalends.mean(sum_values numeric, value_count bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN value_count <= 0 THEN NULL
        WHEN sum_values IN ('Infinity', '-Infinity') THEN sum_values
        ELSE (
            SELECT
                sign(sum_values)
                * (whole + div(2 * 1000000 * (abs(sum_values) - whole * value_count) + value_count, 2 * value_count) * 0.000001)
            FROM (SELECT div(abs(sum_values), value_count) AS whole) AS parts
        )
    END
$$;

-- One moment for all entities, whichever settings file they were of, said more than was proven.
DROP SEQUENCE kalends.proven;

-- A run of an earlier version that is under way would settle on and note none of this.
UPDATE kalends.state SET generation = generation + 1;
