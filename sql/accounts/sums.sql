-- Sums the accounts of periods from those of their parts: weeks and months from days, quarters and years from months.
--
-- With dimensions, also the accounts of each combination, in separate tables.
--
-- Reads:   kalends_stats.<source>, the entity's table of the parts
-- Writes:  kalends_stats.<target>, its table of the periods
-- Params:  $1 date[] first days of the periods
-- Repeat:  safe; a period is always summed from its parts, never added to

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
    -- With these bounds, an index can be used.
    WHERE
        {{ part }} >= (SELECT min(first) FROM unnest($1::date[]) AS asked (first))
        AND {{ part }} < (SELECT max(first) + 366 FROM unnest($1::date[]) AS asked (first))
        AND {{ first_day(level, part) }} = ANY($1::date[])
    GROUP BY {{ first_day(level, part) }}{% for key in keys %}, {{ key }}{% endfor %}

),

gone AS (
    -- A period may have lost its last part.
    DELETE FROM kalends_stats.{{ target }} AS stored
    WHERE
        stored.{{ level }} = ANY($1::date[])
        AND NOT EXISTS (
            SELECT FROM fresh
            WHERE fresh.{{ level }} = stored.{{ level }}{% if keys %} AND fresh.combination = stored.combination{% endif %}

        )
)

{% include 'write_made.jinja' %}
