-- All rows by day, each distinct row once with its number of copies. Sorted by their bytes in UTF-8, which is the same
-- on both servers, so that the two answers can be merged as they arrive.
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
            -- The local time, which determines the hour.
            , ({{ time }} AT TIME ZONE {{ zone }})::text
            {% endif %}
        ])::text AS row
    FROM {{ schema }}.{{ table }}
)

SELECT day, convert_to(row, 'UTF8') AS row, count(*) AS copies
FROM printed
GROUP BY day, convert_to(row, 'UTF8')
ORDER BY day, convert_to(row, 'UTF8')
