-- Notes that something of an entity is settled, and whether all of it is equal to production with that.
--
-- Reads:   nothing
-- Writes:  kalends.entity
-- Params:  $1 text entity, $2 bigint moment of production's data in microseconds since 1970 UTC, $3 boolean whether it is whole
-- Repeat:  no; in the transaction that settles

UPDATE kalends.entity AS settled
SET
    settlement = settled.settlement + 1,
    settled_as_of = noted.moment,
    whole = $3::boolean,
    proven_as_of = CASE WHEN $3::boolean THEN noted.moment ELSE settled.proven_as_of END
FROM (SELECT TIMESTAMPTZ 'epoch' + $2::bigint * INTERVAL '1 microsecond' AS moment) AS noted
WHERE settled.name = $1::text
