-- The day of the snapshot in the entity's time zone: a month that ends at or before it has ended.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  $1 text time zone, $2 bigint moment of the snapshot in microseconds since 1970 UTC
-- Repeat:  safe

SELECT ((TIMESTAMPTZ 'epoch' + $2::bigint * INTERVAL '1 microsecond') AT TIME ZONE $1::text)::date AS today
