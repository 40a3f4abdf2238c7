-- Makes statements of the transaction run in one process: each helping process would lock every table once more.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL max_parallel_workers_per_gather = 0;
