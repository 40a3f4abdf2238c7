-- The rows of one day, equal ones once with how many there are, sorted by their bytes in UTF-8: alike on both servers,
-- whatever their collations and encodings, so that the two answers can be merged as they come.
--
-- What PostgreSQL takes for equal is printed alike: 5.0 and 5.00, and the two zeros of binary numbers.
--
-- Reads:   :"schema".:"table", the entity's columns
-- Writes:  nothing
-- Params:  none; the day is :'from', the day after :'until'
-- Repeat:  safe

WITH printed AS (
    SELECT
        array_to_json(ARRAY[
            {{ time }}::text
            {% for m in measures %}
            {% if m.binary %}
            , ({{ m.column }} + 0::{{ m.kind }})::text
            {% elif m.whole %}
            , {{ m.column }}::text
            {% else %}
            , trim_scale({{ m.column }})::text
            {% endif %}
            {% endfor %}
            {% for d in dimensions %}
            , {{ d.column }}::text
            {% endfor %}
        ])::text AS row
    FROM :"schema".:"table"
    WHERE
        {% include 'within.jinja' %}

)

SELECT convert_to(row, 'UTF8') AS row, count(*) AS copies
FROM printed
GROUP BY convert_to(row, 'UTF8')
ORDER BY convert_to(row, 'UTF8')
