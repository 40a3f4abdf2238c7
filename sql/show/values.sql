-- The figures of each value of a dimension in one period: those of its combinations, summed up.
--
-- Reads:   kalends_stats.<source>, the entity's table of the level's combinations
-- Writes:  nothing
-- Params:  $1 date first day of the period
-- Repeat:  safe

{% from 'means.jinja' import account_of, said %}
{% from 'statistics.jinja' import of_parts %}
WITH summed AS (
    SELECT
        {{ dimension }}::text AS value,
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM kalends_stats.{{ source }}
    WHERE {{ level }} = $1::date
    GROUP BY {{ dimension }}
),

told AS (
    SELECT value, {{ account_of('summed', stored_columns) }} AS account FROM summed
)

SELECT value, {{ said('told.account') }} AS said
FROM told
ORDER BY value COLLATE "C" NULLS FIRST
