-- What no transaction must inherit from server, role, database or pooler.
--
-- Statements, not set_config(): a SELECT would take the snapshot before the table is locked.
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
SET LOCAL bytea_output = 'hex';
SET LOCAL client_encoding = 'UTF8';
-- Off: rows that a policy would hide become an error instead of a smaller answer.
SET LOCAL row_security = off;
SET LOCAL lock_timeout = {{ lock_ms }};
SET LOCAL statement_timeout = {{ statement_ms }};
SET LOCAL idle_in_transaction_session_timeout = {{ idle_ms }};
-- The account of a month is worth a second process from some 20,000 rows on; the server's own 8 MB are ten times that.
SET LOCAL min_parallel_table_scan_size = '1MB';
-- Compiling a statement costs more than most of ours take, and a function's statement would be compiled for each line.
-- These are PostgreSQL's own defaults, at which a large survey is still compiled.
SET LOCAL jit_above_cost = 100000;
SET LOCAL jit_inline_above_cost = 500000;
SET LOCAL jit_optimize_above_cost = 500000;
-- The server finds out by itself that we are cut off, and lets go of what it holds for us. Through a Unix socket they
-- do nothing.
SET LOCAL tcp_keepalives_idle = 10;
SET LOCAL tcp_keepalives_interval = 5;
SET LOCAL tcp_keepalives_count = 3;
SET LOCAL tcp_user_timeout = {{ dead_ms }};
