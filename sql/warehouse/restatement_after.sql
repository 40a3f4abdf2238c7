-- Notes the restated periods of a month as they became; for a vanished one nothing, whatever it was in between.
--
-- Reads:   the entity's tables of days, months and years
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that changed, $3 date month, $4 date year
-- Repeat:  safe

UPDATE kalends.restatement AS restated
SET after = fresh.account
FROM (
    SELECT 'day' AS level, changed.day AS period, to_jsonb(stored) - '{day,hash_a,hash_b}'::text[] AS account
    FROM unnest($2::date[]) AS changed (day)
    LEFT JOIN kalends_stats.{{ days }} AS stored ON changed.day = stored.day
    UNION ALL
    SELECT 'month', asked.month, to_jsonb(stored) - 'month'
    FROM (SELECT $3::date) AS asked (month)
    LEFT JOIN kalends_stats.{{ months }} AS stored ON asked.month = stored.month
    UNION ALL
    SELECT 'year', asked.year, to_jsonb(stored) - 'year'
    FROM (SELECT $4::date) AS asked (year)
    LEFT JOIN kalends_stats.{{ years }} AS stored ON asked.year = stored.year
) AS fresh
WHERE
    restated.run = $1 AND restated.entity = {{ name }}
    AND restated.level = fresh.level AND restated.period = fresh.period
