-- Whether an entity's table of rows is distributed over the nodes of a Citus cluster. No row: there is no such table.
--
-- Reads:   pg_class, pg_namespace, pg_dist_partition
-- Writes:  nothing
-- Params:  $1 text name of the table
-- Repeat:  safe

SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = relation.oid AND partmethod = 'h') AS distributed
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE namespace.nspname = 'kalends_raw' AND relation.relname = $1::text AND relation.relkind = 'p'
