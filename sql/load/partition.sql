-- Whether a month of the warehouse's rows has its table.
--
-- Reads:   pg_class
-- Writes:  nothing
-- Params:  $1 text name of the month's table
-- Repeat:  safe

SELECT relation.relispartition AS attached
FROM pg_class AS relation
WHERE relation.relname = $1 AND relation.relnamespace = 'kalends_raw'::regnamespace
