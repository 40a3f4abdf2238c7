-- Notes what the restated periods of a month became; a vanished one became nothing.
--
-- Reads:   kalends_stats.entity_day, entity_month, entity_year
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that changed, $3 date month, $4 date year
-- Repeat:  safe

UPDATE kalends.restatement AS restated
SET
    rows_after = fresh.rows,
    values_after = fresh.values,
    sum_after = fresh.sum_values,
    min_after = fresh.min_values,
    max_after = fresh.max_values
FROM (
    SELECT 'day' AS level, day AS period, rows, values, sum_values::numeric, min_values, max_values
    FROM kalends_stats.entity_day WHERE day = ANY($2::date[])
    UNION ALL
    SELECT 'month', month, rows, values, sum_values, min_values, max_values
    FROM kalends_stats.entity_month WHERE month = $3
    UNION ALL
    SELECT 'year', year, rows, values, sum_values, min_values, max_values
    FROM kalends_stats.entity_year WHERE year = $4
) AS fresh
WHERE restated.run = $1 AND restated.level = fresh.level AND restated.period = fresh.period
