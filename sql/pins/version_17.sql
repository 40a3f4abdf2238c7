-- A server of version 17 or later can limit the time of a whole transaction. Here each statement has its own limit, and
-- a transaction takes as long as its statements: if it were cut off, a run would never finish.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL transaction_timeout = 0;
