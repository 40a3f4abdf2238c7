-- A server of version 17 or later can end a transaction for the time that it takes as a whole. One of ours takes as
-- long as its statements do, each of which has its limit; cut in two, a run would never come to its end.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL transaction_timeout = 0;
