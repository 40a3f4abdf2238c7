-- The month's account, from the accounts of its days.
--
-- Reads:   kalends_stats.entity_day
-- Writes:  kalends_stats.entity_month
-- Params:  $1 date first day of the month, $2 date first day of the next
-- Repeat:  safe; the month is always summed from its days, never added to.

WITH fresh AS (
    SELECT
        $1::date AS month,
        sum(rows)::bigint AS rows,
        sum(values)::bigint AS values,
        sum(sum_values) AS sum_values,
        min(min_values) AS min_values,
        max(max_values) AS max_values
    FROM kalends_stats.entity_day
    WHERE day >= $1 AND day < $2
    HAVING count(*) > 0
),

gone AS (
    -- The month may have lost its last day.
    DELETE FROM kalends_stats.entity_month AS kept
    WHERE kept.month = $1 AND NOT EXISTS (SELECT FROM fresh)
)

INSERT INTO kalends_stats.entity_month AS kept (month, rows, values, sum_values, min_values, max_values)
SELECT month, rows, values, sum_values, min_values, max_values FROM fresh
ON CONFLICT (month) DO UPDATE SET
    rows = excluded.rows,
    values = excluded.values,
    sum_values = excluded.sum_values,
    min_values = excluded.min_values,
    max_values = excluded.max_values
-- An equal row is left alone, so an unchanged month is not written.
WHERE (kept.*) IS DISTINCT FROM (excluded.*)
