-- The accounts of days as they were settled, in the shape of accounts/days.sql.
--
-- Reads:   kalends_stats.entity_day
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    day,
    rows,
    values,
    sum_values::text AS sum,
    min_values::text AS min,
    max_values::text AS max,
    hash_a::text AS hash_a,
    hash_b::text AS hash_b
FROM kalends_stats.entity_day
