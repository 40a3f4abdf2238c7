-- Sums the accounts of periods from those of their parts: weeks and months from days, quarters and years from months.
--
-- With dimensions, also the accounts of each combination, in separate tables.
--
-- Reads:   kalends_stats.<source>, the entity's table of the parts
-- Writes:  kalends_stats.<target>, its table of the periods
-- Params:  $1 date[] first days of the periods, $2 date[] the days after their last ones
-- Repeat:  safe; a period is always summed from its parts, never added to

{% from 'statistics.jinja' import of_parts %}
WITH fresh AS (
    SELECT
        asked.first AS {{ level }},
        {% for key in keys %}
        {{ key }},
        {% endfor %}
        sum(rows)::bigint AS rows
        {% for c in stored_columns %}
        , {{ of_parts(c) }} AS {{ c.name }}
        {% endfor %}
    FROM unnest($1::date[], $2::date[]) AS asked (first, until)
    -- With these bounds an index can be used, and no part's period has to be computed.
    INNER JOIN kalends_stats.{{ source }} AS parts ON asked.first <= parts.{{ part }} AND parts.{{ part }} < asked.until
    GROUP BY asked.first{% for key in keys %}, {{ key }}{% endfor %}

),

known AS (
    SELECT {{ level }}{% if keys %}, combination{% endif %}

    FROM kalends_stats.{{ target }}
    WHERE {{ level }} = ANY($1::date[])
),

{% include 'write_made.jinja' %}
