-- What a writing transaction must not inherit from server, role, database or pooler.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none; the limits are whole milliseconds
-- Repeat:  safe

-- With an empty search path only pg_catalog is searched, so nobody can plant a function or operator in our way.
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL row_security = off;
-- A partitioned table cannot be made where the database's own tablespace is named as the default one.
SET LOCAL default_tablespace = '';
-- What was committed must be there after a crash: files are published from it.
SET LOCAL synchronous_commit = on;
SET LOCAL lock_timeout = :'lock_ms';
SET LOCAL statement_timeout = :'statement_ms';
SET LOCAL idle_in_transaction_session_timeout = :'idle_ms';
-- The account of a month is worth a second process from some 20,000 rows on; the server's own 8 MB are ten times that.
SET LOCAL min_parallel_table_scan_size = '1MB';
