-- Locks the warehouse for one transaction, unless somebody else has locked it.
--
-- Two four-byte keys, so that this never conflicts with a lock of one eight-byte key: "KALE" in ASCII, and 1.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe

SELECT pg_try_advisory_xact_lock(1262570565, 1) AS locked
