-- Waits for the warehouse's lock, for one transaction: a run that has settled a month does not give way to one that
-- only looks.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe

SELECT pg_advisory_xact_lock(1262570565, 1)
