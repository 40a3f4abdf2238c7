-- Notes settled periods as they were before they change. A period that was never settled is not restated. One that was
-- settled, vanished, and is settled again, was nothing before.
--
-- Reads:   the entity's tables of days, months and years, kalends.restatement
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that change, $3 text[] their causes, $4 date month, $5 date year
-- Repeat:  safe; of several changes in one run, the first "before" is the right one

{% from 'means.jinja' import account_of %}
{% set account = account_of('stored', stored_columns) %}
WITH stored AS (
    SELECT 'day' AS level, stored.day AS period, changed.cause, {{ account }} AS account
    FROM unnest($2::date[], $3::text[]) AS changed (day, cause)
    INNER JOIN kalends_stats.{{ days }} AS stored ON changed.day = stored.day
    UNION ALL
    SELECT 'month', stored.month, NULL::text, {{ account }}
    FROM kalends_stats.{{ months }} AS stored WHERE stored.month = $4
    UNION ALL
    SELECT 'year', stored.year, NULL::text, {{ account }}
    FROM kalends_stats.{{ years }} AS stored WHERE stored.year = $5
),

vanished AS (
    SELECT asked.level, asked.period, asked.cause, NULL::jsonb AS account
    FROM (
        SELECT 'day' AS level, changed.day AS period, changed.cause
        FROM unnest($2::date[], $3::text[]) AS changed (day, cause)
        WHERE changed.cause = 'new'
        UNION ALL
        SELECT 'month', $4::date, NULL
        UNION ALL
        SELECT 'year', $5::date, NULL
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT restated.after
        FROM kalends.restatement AS restated
        WHERE
            restated.entity = {{ name }} AND restated.level = asked.level AND restated.period = asked.period
            AND restated.run < $1
        ORDER BY restated.run DESC
        LIMIT 1
    ) AS latest
    WHERE
        latest.after IS NULL
        AND NOT EXISTS (SELECT FROM stored WHERE stored.level = asked.level AND stored.period = asked.period)
)

INSERT INTO kalends.restatement (run, entity, level, period, cause, before)
SELECT $1::bigint, {{ name }}, level, period, cause, account FROM stored
UNION ALL
SELECT $1::bigint, {{ name }}, level, period, cause, account FROM vanished
ON CONFLICT (run, entity, level, period) DO NOTHING
