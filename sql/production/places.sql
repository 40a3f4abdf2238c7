-- Where in the table each month's rows lie: with it a month can be read without reading the whole table, although
-- there is no index. True for this snapshot only. In a partitioned table it is a looser bound, and still true.
--
-- Reads:   :"schema".:"table"
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH days AS (
    SELECT
        :"time"::date AS day,
        min(ctid) AS first_place,
        max(ctid) AS final_place
    FROM :"schema".:"table"
    WHERE isfinite(:"time")
    GROUP BY :"time"::date
)

SELECT
    date_trunc('month', day::timestamp)::date AS month,
    min(first_place)::text AS first_place,
    max(final_place)::text AS final_place
FROM days
GROUP BY date_trunc('month', day::timestamp)::date
