-- Which versions of the notes of published files there are: how many, and a digest of their writing transactions and
-- places.
--
-- Reads:   kalends.file
-- Writes:  nothing
-- Params:  $1 text[] paths; null for all
-- Repeat:  safe

SELECT
    count(*) AS files,
    -- No two notes have the same place, so no two of these cancel out.
    coalesce(bit_xor(hashtidextended(noted.ctid, noted.xmin::text::bigint)), 0) AS digest
FROM kalends.file AS noted
WHERE $1::text[] IS NULL OR noted.path = ANY($1::text[])
