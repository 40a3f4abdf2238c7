-- The accounts of combinations of dimensions on some days, from production's rows.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  $1 date[] days, $2 date the first of them, $3 date the day after the last one
-- Repeat:  safe

{% set of_production = true %}
{% from 'means.jinja' import account_of, said %}
WITH {% include 'details.jinja' %},

told AS (
    SELECT
        day,
        {% if keys %}combination{% else %}''::bytea{% endif %} AS combination,
        ARRAY[{% for d in dimensions %}{{ d.stored }}{% if not loop.last %}, {% endif %}{% endfor %}]::text[] AS texts,
        {{ account_of('fresh', stored_columns) }} AS account
    FROM fresh
)

SELECT day, combination, texts, {{ said('told.account') }} AS said
FROM told
ORDER BY day, combination
