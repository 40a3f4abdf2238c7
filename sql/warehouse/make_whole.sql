-- Notes that an entity is equal to production although nothing was left to settle: after a run that was interrupted, or
-- if production has returned to what is settled. A run that compared an older snapshot before must not settle after
-- this, so a generation is taken.
--
-- Reads:   nothing
-- Writes:  kalends.entity, kalends.state
-- Params:  $1 text entity, $2 bigint generation that was compared with, $3 bigint moment in microseconds since 1970 UTC
-- Repeat:  no; under the warehouse's lock, and the second time the generation has changed

WITH taken AS (
    UPDATE kalends.state SET generation = generation + 1
    WHERE generation = $2::bigint
    RETURNING TIMESTAMPTZ 'epoch' + $3::bigint * INTERVAL '1 microsecond' AS moment
)

UPDATE kalends.entity AS settled
SET proven_as_of = taken.moment, whole = true
FROM taken
WHERE settled.name = $1::text
