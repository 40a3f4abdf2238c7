-- Settings that no transaction may inherit from server, role, database or pooler.
--
-- Statements, not set_config(): a SELECT would take the snapshot before the table is locked.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none; the limits are whole milliseconds, the workers a number, if any
-- Repeat:  safe

-- With an empty search path, only pg_catalog is searched, so nobody can substitute a function or operator.
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SET LOCAL client_encoding = 'UTF8';
-- Off: rows that a policy would hide cause an error instead of a smaller answer.
SET LOCAL row_security = off;
SET LOCAL lock_timeout = {{ lock_ms }};
SET LOCAL statement_timeout = {{ statement_ms }};
SET LOCAL idle_in_transaction_session_timeout = {{ idle_ms }};
-- From some 20,000 rows on, the account of a month is worth a second process; the server's default of 8 MB is ten times
-- as much.
SET LOCAL min_parallel_table_scan_size = '1MB';
{% if workers is defined %}
SET LOCAL max_parallel_workers_per_gather = {{ workers }};
{% endif %}
-- Compiling a statement costs more than most statements take, and a function's statement would be compiled for each
-- line. These are PostgreSQL's own defaults, with which a large survey is still compiled.
SET LOCAL jit_above_cost = 100000;
SET LOCAL jit_inline_above_cost = 500000;
SET LOCAL jit_optimize_above_cost = 500000;
-- The server detects by itself that the connection is lost, and releases what it holds. On a Unix socket, these have no
-- effect.
SET LOCAL tcp_keepalives_idle = 10;
SET LOCAL tcp_keepalives_interval = 5;
SET LOCAL tcp_keepalives_count = 3;
SET LOCAL tcp_user_timeout = {{ dead_ms }};
