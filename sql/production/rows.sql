-- The rows of some days of one month, in binary, as they are.
--
-- COPY takes no parameters, so the dates and places are written into it, from types that can hold nothing else.
--
-- Reads:   :"schema".:"table"
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT {{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% if d.as_text %}::text{% endif %}{% endfor %}

    FROM :"schema".:"table"
    WHERE
        -- Where no other rows lie in between the place is enough, and the planner drops the rest.
        (:'alone'::boolean OR (
            {% if kind == 'timestamptz' %}
            -- Wider than any time zone, so that an index can be used; then by the day itself. Reckoned by us: the server's
            -- sum would be out of its range near the end of its time.
            {{ time }} >= TIMESTAMPTZ :'wide_from' AND {{ time }} < TIMESTAMPTZ :'wide_until'
            AND ({% include 'day.jinja' %}) >= :'from'::date AND ({% include 'day.jinja' %}) < :'until'::date
            {% elif kind == 'date' %}
            {{ time }} >= DATE :'from' AND {{ time }} < DATE :'until'
            {% else %}
            {{ time }} >= TIMESTAMP :'from' AND {{ time }} < TIMESTAMP :'until'
            {% endif %}
            -- The days in between that are as they should be; without any, the planner drops the condition.
            AND (cardinality(:'except'::date[]) = 0 OR ({% include 'day.jinja' %}) <> ALL(:'except'::date[]))
        ))
        AND ctid >= :'first_place'::tid AND ctid <= :'final_place'::tid
) TO STDOUT (FORMAT binary)
