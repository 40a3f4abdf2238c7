-- How many rows of another tool's table hold a value that production's type cannot, so that no row of production equals
-- them.
--
-- Reads:   <schema>.<table>, the columns that stand for the entity's
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

{% from 'theirs.jinja' import alike %}
SELECT count(*) AS rows
FROM {{ schema }}.{{ table }}
WHERE NOT (true{% for c in theirs if c.judged %} AND {{ alike(c) }}{% endfor %})
