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
        :"time" >= DATE :'from' AND :"time" < DATE :'until'
        -- The days in between that are as they should be.
        AND :"time"::date <> ALL(:'except'::date[])
        AND ctid >= :'first_place'::tid AND ctid <= :'final_place'::tid
) TO STDOUT (FORMAT binary)
