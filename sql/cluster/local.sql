-- Whether a table or view is a table of the coordinator alone, of which Citus has put no row elsewhere.
--
-- Reads:   pg_class, pg_namespace, pg_dist_partition
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table
-- Repeat:  safe

SELECT
    relation.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = relation.oid) AS local
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE namespace.nspname = $1::text AND relation.relname = $2::text
