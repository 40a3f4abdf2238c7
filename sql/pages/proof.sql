-- What is proven of an entity, in a few figures: its rows, its days, and a digest of the checksums of all days, which
-- are those of production's rows.
--
-- Reads:   kalends_stats.<days>, the entity's ledger
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    coalesce(sum(rows), 0)::bigint AS rows,
    count(*) AS days,
    min(day) AS first,
    max(day) AS last,
    encode(
        sha256(convert_to(
            coalesce(string_agg(concat_ws(' ', day - DATE '2000-01-01', rows, hash_a, hash_b), ',' ORDER BY day), ''),
            'UTF8'
        )),
        'hex'
    ) AS digest
FROM kalends_stats.{{ days }}
