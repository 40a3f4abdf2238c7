-- The months whose account is not the sum of their days', or years of their months', in either direction.
--
-- Reads:   kalends_stats.:"source", kalends_stats.:"target"
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH fresh AS (
    SELECT
        date_trunc(:'unit', :"part"::timestamp)::date AS :"period",
        sum(rows)::bigint AS rows
        {% for m in measures %}
        , sum({{ m.count }})::bigint AS {{ m.count }}, sum({{ m.sum }}) AS {{ m.sum }}
        , min({{ m.min }}) AS {{ m.min }}, max({{ m.max }}) AS {{ m.max }}
        {% endfor %}
    FROM kalends_stats.:"source"
    GROUP BY date_trunc(:'unit', :"part"::timestamp)::date
)

SELECT coalesce(fresh.:"period", kept.:"period") AS period
FROM fresh
FULL JOIN kalends_stats.:"target" AS kept ON fresh.:"period" = kept.:"period"
WHERE
    ROW(
        fresh.:"period", fresh.rows
        {% for m in measures %}
        , fresh.{{ m.count }}, fresh.{{ m.sum }}, fresh.{{ m.min }}, fresh.{{ m.max }}
        {% endfor %}
    )
    IS DISTINCT FROM ROW(
        kept.:"period", kept.rows
        {% for m in measures %}
        , kept.{{ m.count }}, kept.{{ m.sum }}, kept.{{ m.min }}, kept.{{ m.max }}
        {% endfor %}
    )
