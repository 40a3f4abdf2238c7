-- The encoding of the warehouse's texts.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT getdatabaseencoding()::text AS encoding
