-- The rows of some days of a month in another tool's table in the warehouse, with production's types, in binary.
--
-- COPY takes no parameters, so the dates and ctids are written into it, from types that can hold nothing else.
--
-- Reads:   <schema>.<table>, the columns that correspond to the entity's
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT
        {{ time }}{% for m in measures %},
        {{ m.column }}{% endfor %}{% for d in dimensions %},
        {{ d.column }}{% endfor %}

    FROM {% include 'source.jinja' %}

    WHERE
        {% include 'within.jinja' %}

        -- Days in between that differ, and come from production. Without any, the planner drops the condition.
        AND (cardinality({{ except }}::date[]) = 0 OR ({% include 'day.jinja' %}) <> ALL({{ except }}::date[]))
) TO STDOUT (FORMAT binary)
