-- Copies the rows of some days of a month from another tool's table in the warehouse, which is not changed.
--
-- Reads:   <schema>.<table>, the columns that correspond to the entity's
-- Writes:  kalends_raw.<partition>
-- Params:  $1 date[] days
-- Repeat:  no; after the month's table was created, in the same transaction

INSERT INTO kalends_raw.{{ partition }} ({{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% endfor %})
SELECT {{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% endfor %}

FROM {% include 'source.jinja' %}

WHERE
    ({% include 'day.jinja' %}) = ANY($1::date[])
    {% if kind != 'timestamptz' %}
    -- With these bounds, an index can be used.
    AND {{ time }} >= (SELECT min(day) FROM unnest($1::date[]) AS wanted (day))
    AND {{ time }} < (SELECT max(day) + 1 FROM unnest($1::date[]) AS wanted (day))
    {% endif %}
