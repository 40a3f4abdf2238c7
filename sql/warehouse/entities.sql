-- What was settled before: each entity with the definition that its tables were created from.
--
-- Reads:   kalends.entity
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT definition::text AS definition FROM kalends.entity ORDER BY name COLLATE "C"
