-- All rows, by day, equal ones once with how many there are, sorted by their bytes in UTF-8: alike on both servers, so
-- that the two answers can be merged as they come.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH printed AS (
    SELECT
        {% include 'day.jinja' %} AS day,
        array_to_json(ARRAY[
            {% include 'printed.jinja' %}

            {% if hours_follow_zone %}
            -- What the zone makes of it, which hours follow.
            , ({{ time }} AT TIME ZONE {{ zone }})::text
            {% endif %}
        ])::text AS row
    FROM {{ schema }}.{{ table }}
)

SELECT day, convert_to(row, 'UTF8') AS row, count(*) AS copies
FROM printed
GROUP BY day, convert_to(row, 'UTF8')
ORDER BY day, convert_to(row, 'UTF8')
