-- Has the transaction's statements done by one process: each that helps locks every table that is read once more.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL max_parallel_workers_per_gather = 0;
