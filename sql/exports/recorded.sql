-- What was published before, as the warehouse has it: path and SHA-256.
--
-- Reads:   kalends.file
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT path, sha256 FROM kalends.file
