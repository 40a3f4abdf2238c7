-- How many months an entity has, how many locks it takes to drop their tables, and how many locks the server has.
--
-- A table is dropped with its two types, and with its TOAST table and that one's index; creating it takes as many
-- locks. All sessions of a server share its locks.
--
-- Reads:   pg_inherits, pg_class
-- Writes:  nothing
-- Params:  $1 text name of the entity's table of rows
-- Repeat:  safe

SELECT
    count(*) AS months,
    coalesce(sum(CASE WHEN month.reltoastrelid = 0 THEN 3 ELSE 5 END), 0)::bigint AS to_drop,
    current_setting('max_locks_per_transaction')::bigint AS for_each_session,
    current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint AS sessions
FROM pg_class AS rows
INNER JOIN pg_inherits AS part ON part.inhparent = rows.oid
INNER JOIN pg_class AS month ON part.inhrelid = month.oid
WHERE rows.relname = $1 AND rows.relnamespace = 'kalends_raw'::regnamespace
