-- The default time zone of a session on production: that of the role, the database or the server.
--
-- Reads:   pg_settings
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT reset_val AS time_zone FROM pg_settings WHERE name = 'TimeZone'
