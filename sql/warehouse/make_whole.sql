-- Notes that an entity is equal to production although nothing was left to settle: after a run that was interrupted, or where
-- production came back to what is settled.
--
-- Reads:   kalends.state
-- Writes:  kalends.entity
-- Params:  $1 text entity, $2 bigint generation that was compared with, $3 bigint moment in microseconds since 1970 UTC
-- Repeat:  safe; under the warehouse's lock

UPDATE kalends.entity AS settled
SET settled_as_of = noted.moment, proven_as_of = noted.moment, whole = true
FROM (SELECT TIMESTAMPTZ 'epoch' + $3::bigint * INTERVAL '1 microsecond' AS moment) AS noted
WHERE settled.name = $1::text AND EXISTS (SELECT FROM kalends.state WHERE generation = $2::bigint)
