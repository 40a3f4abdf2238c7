-- The rows of one day, equal ones once with how many there are, sorted by their bytes in UTF-8: alike on both servers,
-- whatever their collations and encodings, so that the two answers can be merged as they come.
--
-- Reads:   <schema>.<table>, the entity's columns
-- Writes:  nothing
-- Params:  none; the day is <from>, the day after <until>
-- Repeat:  safe

WITH printed AS (
    SELECT
        array_to_json(ARRAY[
            {% include 'printed.jinja' %}
        ])::text AS row
    FROM {{ schema }}.{{ table }}
    WHERE
        {% include 'within.jinja' %}

)

SELECT NULL::date AS day, convert_to(row, 'UTF8') AS row, count(*) AS copies
FROM printed
GROUP BY convert_to(row, 'UTF8')
ORDER BY convert_to(row, 'UTF8')
