-- Notes what the restated periods of a month became; a vanished one became nothing.
--
-- Reads:   the entity's tables of days, months and years
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that changed, $3 date month, $4 date year
-- Repeat:  safe

UPDATE kalends.restatement AS restated
SET after = fresh.account
FROM (
    SELECT 'day' AS level, kept.day AS period, to_jsonb(kept) - '{day,hash_a,hash_b}'::text[] AS account
    FROM kalends_stats.{{ days }} AS kept WHERE kept.day = ANY($2::date[])
    UNION ALL
    SELECT 'month', kept.month, to_jsonb(kept) - 'month'
    FROM kalends_stats.{{ months }} AS kept WHERE kept.month = $3
    UNION ALL
    SELECT 'year', kept.year, to_jsonb(kept) - 'year'
    FROM kalends_stats.{{ years }} AS kept WHERE kept.year = $4
) AS fresh
WHERE
    restated.run = $1 AND restated.entity = {{ name }}
    AND restated.level = fresh.level AND restated.period = fresh.period
