-- Which versions of the notes of published files there are: how many, and a digest of their writing transactions and
-- places.
--
-- Reads:   kalends.file
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    count(*) AS files,
    coalesce(bit_xor(hash_record_extended(row(noted.xmin, noted.ctid), 0)), 0) AS digest
FROM kalends.file AS noted
