-- Removes the notes of when an entity's older days were looked at, unless another run has settled something since
-- this one compared.
--
-- Reads:   kalends.state
-- Writes:  kalends.looked, kalends.entity, kalends.counted
-- Params:  $1 text entity, $2 bigint generation that was compared with, $3 date first of the recent days, or NULL
-- Repeat:  safe; under the warehouse's lock, before looked/note.sql

WITH held AS (
    UPDATE kalends.entity AS entity
    SET recent_from = $3::date
    FROM kalends.state AS state
    WHERE entity.name = $1::text AND state.generation = $2::bigint
    RETURNING entity.name
),

removed AS (
    DELETE FROM kalends.looked AS looked
    USING held
    WHERE looked.entity = held.name
),

-- Counters are compared only where there are recent days.
uncounted AS (
    DELETE FROM kalends.counted AS counted
    USING held
    WHERE counted.entity = held.name AND $3::date IS NULL
)

SELECT name FROM held
