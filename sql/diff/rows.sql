-- The rows of one day, each distinct row once with its number of copies. Sorted by their bytes in UTF-8, which is the
-- same on both servers, whatever their collations and encodings, so that the two answers can be merged as they arrive.
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
