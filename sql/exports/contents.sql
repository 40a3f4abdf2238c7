-- What the files of a level say: the period, the rows accounted for, and the file's fields in their order.
--
-- Reads:   kalends.:"view"
-- Writes:  nothing
-- Params:  $1 date first period, $2 date first period no more; NULL for all there are
-- Repeat:  safe

SELECT period, rows, fields
FROM kalends.:"view"
WHERE ($1::date IS NULL OR period >= $1) AND ($2::date IS NULL OR period < $2)
