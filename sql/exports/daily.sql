-- What the file of each day says: behind its period and the rows accounted for, the file's columns in their order.
--
-- Reads:   kalends.daily
-- Writes:  nothing
-- Params:  $1 date first period, $2 date first period no more; NULL for all there are
-- Repeat:  safe

SELECT
    period,
    rows,
    year::text,
    month::text,
    day::text,
    sum_values::text,
    min_values::text,
    max_values::text,
    mean_values::text
FROM kalends.daily
WHERE ($1::date IS NULL OR period >= $1) AND ($2::date IS NULL OR period < $2)
