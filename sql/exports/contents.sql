-- What the files of a level say: the period, the rows accounted for, whether it is closed, and a line's fields in their
-- order, file by file, with a digest of them all: nothing else would tell of a bit that was changed on the way here.
-- The lines of a file are sorted by their dimensions' texts, by bytes, NULL first.
--
-- Reads:   kalends.<view>
-- Writes:  nothing
-- Params:  $1 date first day of the periods, $2 date first day no more; NULL for all there are
-- Repeat:  safe

SELECT
    period, rows, closed, fields,
    sha256(convert_to(
        concat_ws(
            ' ', period::date - date '2000-01-01',
            -- A date can be one that no timestamp is.
            CASE WHEN pg_typeof(period) = 'date'::regtype THEN 0 ELSE date_part('hour', period::timestamp)::integer END,
            rows, closed::text, array_to_string(fields, E'\x1f', E'\x1e')
        ),
        'UTF8'
    )) AS digest
FROM kalends.{{ view }}
WHERE ($1::date IS NULL OR period >= $1::date) AND ($2::date IS NULL OR period < $2::date)
ORDER BY period{% for place in sorted_by %}, fields[{{ place }}] COLLATE "C" NULLS FIRST{% endfor %}

