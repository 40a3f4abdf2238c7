-- Notes what settled periods were before they change. A period that was never settled is not restated.
--
-- Reads:   the entity's tables of days, months and years
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 date[] days that change, $3 text[] their causes, $4 date month, $5 date year
-- Repeat:  safe; of several changes in one run the first "before" is the true one

INSERT INTO kalends.restatement (run, entity, level, period, cause, before)
SELECT $1::bigint, {{ name }}, 'day', kept.day, changed.cause, to_jsonb(kept) - '{day,hash_a,hash_b}'::text[]
FROM unnest($2::date[], $3::text[]) AS changed (day, cause)
INNER JOIN kalends_stats.{{ days }} AS kept ON changed.day = kept.day
UNION ALL
SELECT $1::bigint, {{ name }}, 'month', kept.month, NULL::text, to_jsonb(kept) - 'month'
FROM kalends_stats.{{ months }} AS kept WHERE kept.month = $4
UNION ALL
SELECT $1::bigint, {{ name }}, 'year', kept.year, NULL::text, to_jsonb(kept) - 'year'
FROM kalends_stats.{{ years }} AS kept WHERE kept.year = $5
ON CONFLICT (run, entity, level, period) DO NOTHING
