-- Locks a place in an object store for the transaction against whoever publishes there, unless somebody does.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  $1 the place's number, negative
-- Repeat:  safe

SELECT pg_try_advisory_xact_lock_shared(1262570565, $1::integer) AS locked
