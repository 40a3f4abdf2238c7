-- Which production an entity was settled from, and the position of its log.
--
-- Reads:   kalends.source
-- Writes:  nothing
-- Params:  $1 text entity
-- Repeat:  safe

SELECT system_identifier, database AS database_oid, position, production_as_of
FROM kalends.source
WHERE entity = $1::text
