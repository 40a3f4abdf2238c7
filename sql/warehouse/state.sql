-- The version of the schemas, and the generation that settlements count.
--
-- Reads:   kalends.state
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT schema_version, generation FROM kalends.state
