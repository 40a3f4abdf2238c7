-- What was published before, as noted in the warehouse: path and SHA-256.
--
-- Reads:   kalends.file
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT path, sha256 FROM kalends.file
