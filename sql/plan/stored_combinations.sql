-- The accounts of combinations of dimensions on some days as they are settled, in the form of plan/combinations.sql.
--
-- Reads:   kalends_stats.<source>, the entity's accounts of combinations by day
-- Writes:  nothing
-- Params:  $1 date[] days
-- Repeat:  safe

{% from 'means.jinja' import account_of, said %}
WITH told AS (
    SELECT
        settled.day,
        {% if keys %}settled.combination{% else %}''::bytea{% endif %} AS combination,
        ARRAY[{% for d in dimensions %}settled.{{ d.stored }}{% if not loop.last %}, {% endif %}{% endfor %}]::text[] AS texts,
        {{ account_of('settled', stored_columns) }} AS account
    FROM kalends_stats.{{ source }} AS settled
    WHERE settled.day = ANY($1::date[])
)

SELECT day, combination, texts, {{ said('told.account') }} AS said
FROM told
ORDER BY day, combination
