-- How many rows each month has, before a day.
--
-- Reads:   the entity's table of months
-- Writes:  nothing
-- Params:  $1 date
-- Repeat:  safe

SELECT month, rows FROM kalends_stats.{{ months }} WHERE month < $1::date ORDER BY month
