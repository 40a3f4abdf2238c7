-- Whether a database is a warehouse of Kalends, and whether it has a table: this distinguishes the two databases.
--
-- Reads:   pg_class, pg_namespace
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table
-- Repeat:  safe

SELECT
    EXISTS (
        SELECT FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE namespace.nspname = 'kalends' AND relation.relname = 'state' AND relation.relkind = 'r'
    ) AS is_warehouse,
    EXISTS (
        SELECT FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE namespace.nspname = $1 AND relation.relname = $2
    ) AS has_table
