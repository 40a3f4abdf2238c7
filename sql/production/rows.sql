-- The rows of some days of one month, in binary, as they are.
--
-- COPY takes no parameters, so the dates and places are written into it, from types that can hold nothing else.
--
-- Reads:   <schema>.<table>
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT {{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% if d.as_text %}::text{% endif %}{% endfor %}

    FROM {{ schema }}.{{ table }}
    WHERE
        -- Where no other rows lie in between the place is enough, and the planner drops the rest.
        ({{ alone }}::boolean OR (
            {% include 'within.jinja' %}

            -- The days in between that are as they should be; without any, the planner drops the condition.
            AND (cardinality({{ except }}::date[]) = 0 OR ({% include 'day.jinja' %}) <> ALL({{ except }}::date[]))
        ))
        AND ctid >= {{ first_ctid }}::tid AND ctid <= {{ last_ctid }}::tid
) TO STDOUT (FORMAT binary)
