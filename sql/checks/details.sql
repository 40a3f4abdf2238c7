-- The days whose accounts of hours, or of combinations of dimensions, are not what the warehouse's rows say.
--
-- Reads:   the entity's table of rows, kalends_stats.:"target"
-- Writes:  nothing
-- Params:  $1 date[], $2 date, $3 date: NULL, for all days
-- Repeat:  safe

WITH {% include 'details.jinja' %}

SELECT DISTINCT coalesce(fresh.{{ level }}, kept.{{ level }})::date AS period
FROM fresh
FULL JOIN kalends_stats.:"target" AS kept
    ON fresh.{{ level }} = kept.{{ level }}{% if keys %} AND fresh.combination = kept.combination{% endif %}

WHERE
    ROW(
        fresh.{{ level }}, fresh.rows
        {% for key in keys %}
        , fresh.{{ key }}
        {% endfor %}
        {% for c in kept %}
        , fresh.{{ c.name }}
        {% endfor %}
    )
    IS DISTINCT FROM ROW(
        kept.{{ level }}, kept.rows
        {% for key in keys %}
        , kept.{{ key }}
        {% endfor %}
        {% for c in kept %}
        , kept.{{ c.name }}
        {% endfor %}
    )
