-- Entities that were forgotten and whose rows are not yet dropped.
--
-- Reads:   kalends.forgotten
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT number, entity FROM kalends.forgotten ORDER BY number
