-- The last closed day of each entity.
--
-- Reads:   kalends.freshness
-- Writes:  nothing
-- Params:  $1 text[] entities, $2 text[] their time zones
-- Repeat:  safe

SELECT named.entity, kalends.open_from(freshness.proven_at, named.zone) - 1 AS complete_through
FROM kalends.freshness AS freshness
INNER JOIN unnest($1::text[], $2::text[]) AS named (entity, zone) ON freshness.entity = named.entity
WHERE freshness.proven_at IS NOT NULL
