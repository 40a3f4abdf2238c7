-- Where in the table each day's rows lie: with it a month can be read without reading the whole table, although there
-- is no index. True for this snapshot only. In a partitioned table it is a looser bound, and still true.
--
-- Reads:   :"schema".:"table"
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    :"time"::date AS day,
    min(ctid)::text AS first_place,
    max(ctid)::text AS final_place
FROM :"schema".:"table"
WHERE isfinite(:"time")
GROUP BY :"time"::date
