-- What the files of a level say: the period, the rows accounted for, whether it is closed, and a line's fields in their
-- order, file by file. The lines of a file are sorted by their dimensions' texts, by bytes, NULL first.
--
-- Reads:   kalends.:"view"
-- Writes:  nothing
-- Params:  $1 date first day of the periods, $2 date first day no more; NULL for all there are
-- Repeat:  safe

SELECT period, rows, closed, fields
FROM kalends.:"view"
WHERE ($1::date IS NULL OR period >= $1::date) AND ($2::date IS NULL OR period < $2::date)
ORDER BY period{% for place in sorted_by %}, fields[{{ place }}] COLLATE "C" NULLS FIRST{% endfor %}

