-- The columns of a table, for a message about one that is missing.
--
-- Reads:   pg_class, pg_namespace, pg_attribute
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table
-- Repeat:  safe

SELECT attname::text AS name
FROM pg_attribute
INNER JOIN pg_class AS relation ON attrelid = relation.oid
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE namespace.nspname = $1 AND relation.relname = $2 AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
