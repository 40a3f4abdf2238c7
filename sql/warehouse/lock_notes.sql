-- Waits for the lock that is required to note what was published.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe

SELECT pg_advisory_xact_lock(1262570565, 2);
