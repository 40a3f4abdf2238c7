-- The year's account, from the accounts of its months.
--
-- Reads:   kalends_stats.entity_month
-- Writes:  kalends_stats.entity_year
-- Params:  $1 date first day of the year, $2 date first day of the next
-- Repeat:  safe; the year is always summed from its months, never added to.

WITH fresh AS (
    SELECT
        $1::date AS year,
        sum(rows)::bigint AS rows,
        sum(values)::bigint AS values,
        sum(sum_values) AS sum_values,
        min(min_values) AS min_values,
        max(max_values) AS max_values
    FROM kalends_stats.entity_month
    WHERE month >= $1 AND month < $2
    HAVING count(*) > 0
),

gone AS (
    -- The year may have lost its last month.
    DELETE FROM kalends_stats.entity_year AS kept
    WHERE kept.year = $1 AND NOT EXISTS (SELECT FROM fresh)
)

INSERT INTO kalends_stats.entity_year AS kept (year, rows, values, sum_values, min_values, max_values)
SELECT year, rows, values, sum_values, min_values, max_values FROM fresh
ON CONFLICT (year) DO UPDATE SET
    rows = excluded.rows,
    values = excluded.values,
    sum_values = excluded.sum_values,
    min_values = excluded.min_values,
    max_values = excluded.max_values
-- An equal row is left alone, so an unchanged year is not written.
WHERE (kept.*) IS DISTINCT FROM (excluded.*)
