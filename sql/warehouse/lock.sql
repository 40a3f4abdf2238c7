-- Takes the warehouse for one transaction, or says that somebody else has it.
--
-- Two four-byte keys, so that a program that locks one eight-byte key is never in the way: "KALE" in ASCII, and 1.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe

SELECT pg_try_advisory_xact_lock(1262570565, 1) AS locked
