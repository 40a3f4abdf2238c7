-- The figures of a dimension's values by month: of those with the most rows in all months each by itself, of all others
-- together. All months of a value are those of the span.
--
-- Reads:   kalends_stats.<source>, the entity's table of months' combinations
-- Writes:  nothing
-- Params:  $1 date first month, $2 date day after the last one, $3 integer how many values stand by themselves
-- Repeat:  safe

{% from 'means.jinja' import account_of, said %}
{% from 'statistics.jinja' import of_parts %}
WITH parts AS (
    SELECT
        {{ level }} AS month,
        {{ dimension }}::text AS value,
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM kalends_stats.{{ source }}
    WHERE {{ level }} >= $1 AND {{ level }} < $2
    GROUP BY {{ level }}, {{ dimension }}
),

-- By window functions and not by a join: a join by IS NOT DISTINCT FROM compares each value with each.
ranked AS (
    SELECT
        *,
        dense_rank() OVER (ORDER BY of_value DESC, value COLLATE "C" ASC NULLS FIRST) AS place
    FROM (SELECT *, sum(rows) OVER (PARTITION BY value) AS of_value FROM parts) AS parts
),

summed AS (
    SELECT
        month,
        least(place, $3::integer + 1)::integer AS place,
        min(value) FILTER (WHERE place <= $3::integer) AS value,
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM ranked
    GROUP BY month, least(place, $3::integer + 1)
),

told AS (
    SELECT
        month,
        place,
        value,
        {{ account_of('summed', stored_columns) }} AS account
    FROM summed
)

SELECT
    told.month,
    told.place,
    told.place > $3::integer AS is_rest,
    told.value,
    (SELECT max(ranked.place) FROM ranked) - told.place + 1 AS from_here,
    {{ said('told.account') }} AS said
FROM told
ORDER BY told.place, told.month
