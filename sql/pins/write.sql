-- Further settings that a writing transaction may not inherit.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

-- What was committed must survive a crash, because files are published from it.
SET LOCAL synchronous_commit = on;
-- A partitioned table cannot be created if the database's own tablespace is named as the default one.
SET LOCAL default_tablespace = '';
