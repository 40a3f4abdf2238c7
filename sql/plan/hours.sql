-- The accounts of the hours of some days, from production's rows.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  $1 date[] days
-- Repeat:  safe

{% from 'statistics.jinja' import of_rows %}
WITH wanted AS (
    SELECT
        date_trunc('hour', {{ time }}{% if kind == 'timestamptz' %} AT TIME ZONE {{ zone }}{% endif %}) AS hour
        {% for m in measures %}
        , {{ m.column }} AS {{ m.alias }}
        {% endfor %}
    FROM {{ schema }}.{{ table }}
    WHERE ({% include 'day.jinja' %}) = ANY($1::date[])
)

SELECT
    hour::text AS hour,
    count(*) AS rows,
    ARRAY[
        {% for c in stored_columns %}
        {{ of_rows(c) }}::text{% if not loop.last %},{% endif %}

        {% endfor %}
    ] AS statistics
FROM wanted
GROUP BY hour
ORDER BY hour
