-- Notes that something of an entity is settled, and whether the whole entity is now equal to production.
--
-- Reads:   nothing
-- Writes:  kalends.entity, kalends.settled
-- Params:  $1 text entity, $2 bigint moment of production's data in microseconds since 1970 UTC,
--          $3 boolean whether it is whole, $4 bigint months that are settled. Each counts: a restored warehouse that
--          settles the same moment again, in other transactions, then has the number only if it has settled as much
-- Repeat:  no; in the transaction that settles

WITH noted AS (
    UPDATE kalends.entity AS settled
    SET
        settlement = settled.settlement + $4::bigint,
        settled_as_of = given.moment,
        whole = $3::boolean,
        proven_as_of = CASE WHEN $3::boolean THEN given.moment ELSE settled.proven_as_of END
    FROM (SELECT TIMESTAMPTZ 'epoch' + $2::bigint * INTERVAL '1 microsecond' AS moment) AS given
    WHERE settled.name = $1::text
    RETURNING settled.name, settled.settled_as_of, settled.settlement
)

INSERT INTO kalends.settled AS known (entity, as_of, settlement)
SELECT name, settled_as_of, settlement FROM noted
ON CONFLICT (entity, as_of) DO UPDATE SET settlement = excluded.settlement
