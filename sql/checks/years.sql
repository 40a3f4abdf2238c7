-- The years whose account is not the sum of their months', in either direction.
--
-- Reads:   kalends_stats.entity_month, kalends_stats.entity_year
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH fresh AS (
    SELECT
        date_trunc('year', month::timestamp)::date AS year,
        sum(rows)::bigint AS rows,
        sum(values)::bigint AS values,
        sum(sum_values) AS sum_values,
        min(min_values) AS min_values,
        max(max_values) AS max_values
    FROM kalends_stats.entity_month
    GROUP BY date_trunc('year', month::timestamp)::date
)

SELECT coalesce(fresh.year, kept.year) AS period
FROM fresh
FULL JOIN kalends_stats.entity_year AS kept ON fresh.year = kept.year
WHERE
    ROW(fresh.year, fresh.rows, fresh.values, fresh.sum_values, fresh.min_values, fresh.max_values)
    IS DISTINCT FROM ROW(kept.year, kept.rows, kept.values, kept.sum_values, kept.min_values, kept.max_values)
