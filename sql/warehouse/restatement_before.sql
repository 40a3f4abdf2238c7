-- Notes what settled periods were before they change. A period that was never settled is not restated.
--
-- Reads:   kalends_stats.entity_day, entity_month, entity_year
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that change, $3 text[] their causes, $4 date month, $5 date year
-- Repeat:  safe; of several changes in one run the first "before" is the true one

INSERT INTO kalends.restatement
    (run, level, period, cause, rows_before, values_before, sum_before, min_before, max_before)
SELECT $1::bigint, 'day', kept.day, changed.cause, rows, values, sum_values, min_values, max_values
FROM unnest($2::date[], $3::text[]) AS changed (day, cause)
INNER JOIN kalends_stats.entity_day AS kept ON changed.day = kept.day
UNION ALL
SELECT $1::bigint, 'month', month, NULL::text, rows, values, sum_values, min_values, max_values
FROM kalends_stats.entity_month WHERE month = $4
UNION ALL
SELECT $1::bigint, 'year', year, NULL::text, rows, values, sum_values, min_values, max_values
FROM kalends_stats.entity_year WHERE year = $5
ON CONFLICT (run, level, period) DO NOTHING
