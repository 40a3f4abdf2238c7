-- The version of the schemas, the generation, and which warehouse this is.
--
-- Reads:   kalends.state
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT schema_version, generation, warehouse::text AS warehouse FROM kalends.state
