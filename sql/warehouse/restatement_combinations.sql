-- Which combinations of dimensions changed most on restated days, and their accounts before and after.
--
-- Reads:   the entity's table of rows, kalends_stats.<source>, its accounts of combinations by day
-- Writes:  nothing
-- Params:  $1 date[] days, $2 date the first of them, $3 date the day after the last one,
--          $4 text[] names of the dimensions, $5 bigint how many are listed for a day
-- Repeat:  safe; after the rows are loaded, and before the accounts of combinations are computed from them

{% from 'means.jinja' import account_of, said %}
WITH {% include 'details.jinja' %},

settled AS (
    SELECT * FROM kalends_stats.{{ source }} WHERE day = ANY($1::date[])
),

compared AS (
    SELECT
        coalesce(fresh.day, settled.day) AS day,
        ARRAY[{% for d in dimensions %}coalesce(fresh.{{ d.stored }}, settled.{{ d.stored }}){% if not loop.last %}, {% endif %}{% endfor %}]::text[] AS texts,
        abs(coalesce(fresh.rows, 0) - coalesce(settled.rows, 0)) AS moved_rows,
        abs(coalesce(fresh.{{ measures[0].sum }}, 0)::numeric - coalesce(settled.{{ measures[0].sum }}, 0)::numeric) AS moved_sum,
        CASE WHEN settled.day IS NOT NULL THEN {{ account_of('settled', stored_columns) }} END AS before,
        CASE WHEN fresh.day IS NOT NULL THEN {{ account_of('fresh', stored_columns) }} END AS after
    FROM fresh
    FULL JOIN settled
        ON fresh.day = settled.day{% if keys %} AND fresh.combination = settled.combination{% endif %}

),

moved AS (
    SELECT *, row_number() OVER (PARTITION BY day ORDER BY moved_rows DESC, moved_sum DESC NULLS LAST, texts COLLATE "C") AS place
    FROM compared
    -- Tables that were just created have nothing to compare with.
    WHERE before IS DISTINCT FROM after AND day IN (SELECT day FROM settled)
),

listed AS (
    SELECT
        day,
        count(*) AS moved,
        jsonb_agg(
            jsonb_build_object(
                'values', (
                    SELECT jsonb_agg(
                        -- Shortened by an ellipsis.
                        CASE WHEN length(text) > 200 THEN left(text, 200) || chr(8230) ELSE text END ORDER BY at
                    )
                    FROM unnest(moved.texts) WITH ORDINALITY AS each (text, at)
                ),
                'before', {{ said('moved.before') }}::jsonb,
                'after', {{ said('moved.after') }}::jsonb
            )
            ORDER BY place
        ) FILTER (WHERE place <= $5::bigint) AS combinations
    FROM moved
    GROUP BY day
)

SELECT
    day,
    jsonb_build_object(
        'dimensions', to_jsonb($4::text[]),
        'moved', combinations,
        'not_listed', greatest(moved - $5::bigint, 0)
    )::text AS combinations
FROM listed
