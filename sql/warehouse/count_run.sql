-- Adds settled months to the log entry of their run.
--
-- Reads:   nothing
-- Writes:  kalends.run
-- Params:  $1 bigint run, $2 bigint days, $3 bigint rows
-- Repeat:  no; in the transaction of the months

UPDATE kalends.run
SET days = days + $2, rows = rows + $3, settled_at = clock_timestamp()
WHERE run = $1
