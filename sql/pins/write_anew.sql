-- Rolls back a transaction in which the server refused a pin, and begins another one that writes.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

ROLLBACK;
BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;
