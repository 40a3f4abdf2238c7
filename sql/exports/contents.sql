-- The content of a level's files: the period, the rows accounted for, whether it is closed, and the fields of its lines
-- in order, file by file, with a digest of all of it, because nothing else would detect a bit that changed on the way.
-- The lines of a file are sorted by the texts of their dimensions, by bytes, NULL first.
--
-- Reads:   kalends.<view>
-- Writes:  nothing
-- Params:  $1 date first day of the periods, $2 date day after the last one; NULL for all periods
-- Repeat:  safe

SELECT
    period, rows, closed, fields,
    sha256(convert_to(
        concat_ws(
            ' ', period::date - date '2000-01-01',
            -- Some dates are outside the range of timestamps.
            CASE WHEN pg_typeof(period) = 'date'::regtype THEN 0 ELSE date_part('hour', period::timestamp)::integer END,
            rows, closed::text, array_to_string(fields, E'\x1f', E'\x1e')
        ),
        'UTF8'
    )) AS digest
FROM kalends.{{ view }}
WHERE ($1::date IS NULL OR period >= $1::date) AND ($2::date IS NULL OR period < $2::date)
ORDER BY period{% for place in sorted_by %}, fields[{{ place }}] COLLATE "C" NULLS FIRST{% endfor %}

