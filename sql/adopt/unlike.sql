-- How many rows of another tool's table have a value that production's type cannot hold, so that no row of production
-- equals them.
--
-- Reads:   <schema>.<table>, the columns that correspond to the entity's
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'theirs.jinja' import alike %}
SELECT count(*) AS rows
FROM {{ schema }}.{{ table }}
WHERE NOT (true{% for c in theirs if c.judged %} AND {{ alike(c) }}{% endfor %})
