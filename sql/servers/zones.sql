-- The time zones that a server knows by a name of the IANA database.
--
-- Reads:   pg_timezone_names
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT name
FROM pg_timezone_names
WHERE name = 'UTC' OR name LIKE '%/%' AND name NOT LIKE 'posix/%'
ORDER BY name
