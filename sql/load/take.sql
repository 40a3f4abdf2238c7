-- The rows of some days of a month in another tool's table in the warehouse, with production's types, in binary.
--
-- COPY takes no parameters, so the dates and ctids are written into it, from types that can hold nothing else.
--
-- Reads:   <schema>.<table>, the columns that correspond to the entity's
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT {{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% endfor %}

    FROM {% include 'source.jinja' %}

    WHERE
        ({% include 'day.jinja' %}) = ANY({{ wanted_days }}::date[])
        {% if kind != 'timestamptz' %}
        -- With these bounds, an index can be used.
        AND {{ time }} >= (SELECT min(day) FROM unnest({{ wanted_days }}::date[]) AS wanted (day))
        AND {{ time }} < (SELECT max(day) + 1 FROM unnest({{ wanted_days }}::date[]) AS wanted (day))
        {% endif %}
) TO STDOUT (FORMAT binary)
