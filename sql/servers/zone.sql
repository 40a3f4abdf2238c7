-- Whether a server knows a time zone by its name.
--
-- Reads:   pg_timezone_names
-- Writes:  nothing
-- Params:  $1 text name
-- Repeat:  safe

SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1) AS known
