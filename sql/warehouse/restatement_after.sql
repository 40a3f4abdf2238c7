-- Notes the restated periods of a month as they became; for a vanished one nothing, whatever it was in between.
--
-- Reads:   the entity's tables of days, months and years
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that changed, $3 date month, $4 date year
-- Repeat:  safe

{% from 'means.jinja' import account_of %}
{% set account = account_of('stored', stored_columns) %}
UPDATE kalends.restatement AS restated
SET after = fresh.account
FROM (
    SELECT 'day' AS level, changed.day AS period, CASE WHEN stored.day IS NOT NULL THEN {{ account }} END AS account
    FROM unnest($2::date[]) AS changed (day)
    LEFT JOIN kalends_stats.{{ days }} AS stored ON changed.day = stored.day
    UNION ALL
    SELECT 'month', asked.month, CASE WHEN stored.month IS NOT NULL THEN {{ account }} END
    FROM (SELECT $3::date) AS asked (month)
    LEFT JOIN kalends_stats.{{ months }} AS stored ON asked.month = stored.month
    UNION ALL
    SELECT 'year', asked.year, CASE WHEN stored.year IS NOT NULL THEN {{ account }} END
    FROM (SELECT $4::date) AS asked (year)
    LEFT JOIN kalends_stats.{{ years }} AS stored ON asked.year = stored.year
) AS fresh
WHERE
    restated.run = $1 AND restated.entity = {{ name }}
    AND restated.level = fresh.level AND restated.period = fresh.period
