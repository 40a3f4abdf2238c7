-- Settled periods that changed, newest run first, each with its account before and after.
--
-- Means and standard deviations are computed from sums and counts, as in the views.
--
-- Reads:   kalends.restatement, kalends.run
-- Writes:  nothing
-- Params:  $1 text entity, $2 date first day, $3 date day after the last one, $4 text[] levels, $5 bigint only of runs
--          after this one; NULL for all
-- Repeat:  safe

SELECT
    restated.run,
    run.production_as_of,
    to_char(run.settled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS settled_at,
    restated.entity,
    restated.level,
    restated.period,
    restated.cause,
    said.before::text AS before,
    said.after::text AS after,
    -- Through jsonb, because schemas of an earlier version do not have the column.
    (to_jsonb(restated) -> 'combinations')::text AS combinations
FROM kalends.restatement AS restated
INNER JOIN kalends.run AS run ON restated.run = run.run
CROSS JOIN LATERAL (
    SELECT
        jsonb_object_agg(statistic.name, statistic.value) FILTER (WHERE sides.side = 'before') AS before,
        jsonb_object_agg(statistic.name, statistic.value) FILTER (WHERE sides.side = 'after') AS after
    FROM (VALUES ('before', restated.before), ('after', restated.after)) AS sides (side, account)
    CROSS JOIN LATERAL (
        SELECT each.key AS name, each.value
        FROM jsonb_each_text(sides.account) AS each (key, value)
        UNION ALL
        SELECT
            'mean_' || substr(each.key, 5),
            kalends.mean(each.value::numeric, (sides.account ->> ('count_' || substr(each.key, 5)))::bigint)::text
        FROM jsonb_each_text(sides.account) AS each (key, value)
        WHERE each.key LIKE 'sum\_%' AND sides.account ? ('count_' || substr(each.key, 5))
        UNION ALL
        SELECT
            'stddev_' || substr(each.key, 9),
            kalends.stddev(
                (sides.account ->> ('sum_' || substr(each.key, 9)))::numeric,
                each.value::numeric,
                (sides.account ->> ('count_' || substr(each.key, 9)))::bigint
            )::text
        FROM jsonb_each_text(sides.account) AS each (key, value)
        WHERE each.key LIKE 'squares\_%' AND sides.account ? ('count_' || substr(each.key, 9))
    ) AS statistic
) AS said
WHERE
    ($1::text IS NULL OR restated.entity = $1)
    AND ($2::date IS NULL OR restated.period >= $2) AND ($3::date IS NULL OR restated.period < $3)
    AND ($4::text[] IS NULL OR restated.level = ANY($4))
    AND ($5::bigint IS NULL OR restated.run > $5)
ORDER BY
    restated.run DESC, restated.entity ASC, restated.period ASC,
    array_position('{year,month,day}'::text[], restated.level) ASC
