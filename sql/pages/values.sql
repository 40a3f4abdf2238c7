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

ranked AS (
    SELECT
        value,
        row_number() OVER (ORDER BY sum(rows) DESC, value COLLATE "C" ASC NULLS FIRST) AS place
    FROM parts
    GROUP BY value
),

placed AS (
    SELECT
        parts.*,
        least(ranked.place, $3::integer + 1)::integer AS place
    FROM parts
    INNER JOIN ranked ON parts.value IS NOT DISTINCT FROM ranked.value
),

summed AS (
    SELECT
        placed.month,
        placed.place,
        sum(placed.rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM placed
    GROUP BY placed.month, placed.place
),

told AS (
    SELECT
        month,
        place,
        {{ account_of('summed', stored_columns) }} AS account
    FROM summed
)

SELECT
    told.month,
    told.place,
    told.place > $3::integer AS is_rest,
    (SELECT ranked.value FROM ranked WHERE ranked.place = told.place AND told.place <= $3::integer) AS value,
    (SELECT count(*) FROM ranked WHERE ranked.place >= told.place) AS from_here,
    {{ said('told.account') }} AS said
FROM told
ORDER BY told.place, told.month
