-- Rolls back a transaction in which the server refused a pin, and begins another one that reads.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
