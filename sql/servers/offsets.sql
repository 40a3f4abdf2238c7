-- The offset of a time zone from UTC on some days, every 15 minutes.
--
-- Reads:   the server's time zone data
-- Writes:  nothing
-- Params:  $1 text zone, $2 date[] days
-- Repeat:  safe

SELECT
    wanted.day,
    -- A day of a zone may begin and end on other days of UTC.
    array_agg(to_char(moment, 'YYYY-MM-DD HH24:MI') ORDER BY moment) AS moments,
    array_agg((moment AT TIME ZONE 'UTC' AT TIME ZONE $1::text - moment)::text ORDER BY moment) AS offsets
FROM unnest($2::date[]) AS wanted (day)
CROSS JOIN generate_series(
    wanted.day::timestamp - INTERVAL '1 day', wanted.day::timestamp + INTERVAL '2 days', INTERVAL '15 minutes'
) AS moment
GROUP BY wanted.day
ORDER BY wanted.day
