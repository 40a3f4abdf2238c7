-- What a writing transaction must not inherit, besides.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

-- What was committed must be there after a crash: files are published from it.
SET LOCAL synchronous_commit = on;
-- A partitioned table cannot be made where the database's own tablespace is named as the default one.
SET LOCAL default_tablespace = '';
