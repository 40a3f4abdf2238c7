-- The proven accounts of days, into the ledger.
--
-- Reads:   its parameters: what accounts/days.sql said of the warehouse's rows, and the survey of production as well
-- Writes:  kalends_stats.entity_day
-- Params:  $1 date[] days, $2 bigint[] rows, $3 bigint[] values, $4 text[] sum, $5 text[] min, $6 text[] max,
--          $7 text[] hash_a, $8 text[] hash_b
-- Repeat:  safe

INSERT INTO kalends_stats.entity_day AS kept
    (day, rows, values, sum_values, min_values, max_values, hash_a, hash_b)
SELECT
    day, rows, values, sum_values::bigint, min_values::integer, max_values::integer, hash_a::numeric, hash_b::numeric
FROM unnest($1::date[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS proven (day, rows, values, sum_values, min_values, max_values, hash_a, hash_b)
ON CONFLICT (day) DO UPDATE SET
    rows = excluded.rows,
    values = excluded.values,
    sum_values = excluded.sum_values,
    min_values = excluded.min_values,
    max_values = excluded.max_values,
    hash_a = excluded.hash_a,
    hash_b = excluded.hash_b
