-- Tables of months of a forgotten entity that still exist: as many as one transaction may drop. Dropping one takes some
-- eight locks, with its types and its TOAST table; at most a quarter of the server's locks are used.
--
-- Reads:   pg_inherits, pg_class, pg_namespace
-- Writes:  nothing
-- Params:  $1 text name of the entity's table of rows
-- Repeat:  safe

SELECT nspname::text AS schema, month.relname::text AS name
FROM pg_class AS rows
INNER JOIN pg_inherits AS part ON part.inhparent = rows.oid
INNER JOIN pg_class AS month ON part.inhrelid = month.oid
INNER JOIN pg_namespace AS namespace ON month.relnamespace = namespace.oid
WHERE
    rows.relname = $1 AND rows.relnamespace = 'kalends_raw'::regnamespace
    -- What somebody attached otherwise is dropped with the whole table.
    AND month.relkind IN ('r', 'p')
ORDER BY month.oid
LIMIT (
    SELECT
        greatest(1, least(500, current_setting('max_locks_per_transaction')::bigint * (
            current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
        ) / 4 / 8))
)
