-- The periods whose account is not the sum of their parts', in either direction: weeks and months of days, quarters and
-- years of months, days of hours and of combinations.
--
-- Reads:   kalends_stats.<source>, kalends_stats.<target>
-- Writes:  nothing
-- Params:  $1 date first day of the first period, $2 date day after the last period; NULL for an open end
-- Repeat:  safe

{% from 'period.jinja' import first_day %}
{% from 'statistics.jinja' import of_parts %}
WITH fresh AS (
    SELECT
        {{ first_day(level, part) }} AS {{ level }},
        {% for key in keys %}
        {{ key }},
        {% endfor %}
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM kalends_stats.{{ source }}
    WHERE
        ($1::date IS NULL OR {{ part }} >= $1::date)
        AND ($2::date IS NULL OR {{ part }} < $2::date)
    GROUP BY {{ first_day(level, part) }}{% for key in keys %}, {{ key }}{% endfor %}

)

SELECT DISTINCT coalesce(fresh.{{ level }}, stored.{{ level }}) AS period
{% set bounded = true %}
{% include 'differing.jinja' %}
