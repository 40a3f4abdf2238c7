-- The rows of some days of one month, in binary, as they are.
--
-- COPY takes no parameters, so the dates and places are written into it, from types that can hold nothing else.
--
-- Reads:   :"schema".:"table"
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

COPY (
    SELECT :"time", :"measure"
    FROM :"schema".:"table"
    WHERE
        :"time" >= TIMESTAMP :'from' AND :"time" < TIMESTAMP :'until'
        -- The days in between that are as they should be; without any, the planner drops the condition.
        AND (cardinality(:'except'::date[]) = 0 OR :"time"::date <> ALL(:'except'::date[]))
        AND ctid >= :'first_place'::tid AND ctid <= :'final_place'::tid
) TO STDOUT (FORMAT binary)
