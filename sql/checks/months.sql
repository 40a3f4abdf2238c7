-- The months whose account is not the sum of their days', in either direction.
--
-- Reads:   kalends_stats.entity_day, kalends_stats.entity_month
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH fresh AS (
    SELECT
        date_trunc('month', day::timestamp)::date AS month,
        sum(rows)::bigint AS rows,
        sum(values)::bigint AS values,
        sum(sum_values) AS sum_values,
        min(min_values) AS min_values,
        max(max_values) AS max_values
    FROM kalends_stats.entity_day
    GROUP BY date_trunc('month', day::timestamp)::date
)

SELECT coalesce(fresh.month, kept.month) AS period
FROM fresh
FULL JOIN kalends_stats.entity_month AS kept ON fresh.month = kept.month
WHERE
    ROW(fresh.month, fresh.rows, fresh.values, fresh.sum_values, fresh.min_values, fresh.max_values)
    IS DISTINCT FROM ROW(kept.month, kept.rows, kept.values, kept.sum_values, kept.min_values, kept.max_values)
