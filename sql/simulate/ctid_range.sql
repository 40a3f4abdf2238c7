-- Where in the table a month's rows lie, if it has any. Unlike a DELETE, this can be planned in parallel; and a new
-- month, as most are, needs no DELETE.
--
-- Reads:   <schema>.<table>
-- Writes:  nothing
-- Params:  $1 date first day of the month, $2 date first day of the next
-- Repeat:  safe

SELECT
    min(ctid)::text AS first_ctid,
    max(ctid)::text AS last_ctid
FROM {{ schema }}.{{ table }}
WHERE {{ time }} >= $1::date AND {{ time }} < $2::date
