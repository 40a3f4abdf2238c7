-- The rows of some days of one month, in binary, unchanged.
--
-- COPY takes no parameters, so the dates and ctids are written into it, from types that can hold nothing else.
--
-- Reads:   <schema>.<table>
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT {{ time }}{% for m in measures %}, {{ m.column }}{% endfor %}{% for d in dimensions %}, {{ d.column }}{% if d.as_text %}::text{% endif %}{% endfor %}

    FROM {{ schema }}.{{ table }}
    WHERE
        -- If no other rows lie in between, the ctids are enough, and the planner drops this condition.
        ({{ alone }}::boolean OR (
            {% include 'within.jinja' %}

            -- Days in between whose rows are not needed. Without any, the planner drops the condition.
            AND (cardinality({{ except }}::date[]) = 0 OR ({% include 'day.jinja' %}) <> ALL({{ except }}::date[]))
        ))
        AND ctid >= {{ first_ctid }}::tid AND ctid <= {{ last_ctid }}::tid
) TO STDOUT (FORMAT binary)
