-- What reading the table takes: its size, and whether the rows of a month can be found without reading the whole table.
--
-- Reads:   pg_class, pg_namespace, pg_attribute, pg_index, pg_stats, sizes of files
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table, $3 text time column
-- Repeat:  safe

SELECT
    (
        SELECT coalesce(sum(pg_table_size(part.relid)), pg_table_size(relation.oid))::bigint
        FROM pg_partition_tree(relation.oid) AS part
    ) AS bytes,
    EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = relation.oid AND indisvalid AND indpred IS NULL AND indkey[0] = attnum
    ) AS indexed,
    -- 1 or -1 if the rows lie in the order of time; NULL if the table was never analysed, and for partitioned tables.
    (
        SELECT abs(correlation) FROM pg_stats
        WHERE schemaname = nspname AND tablename = relname AND pg_stats.attname = pg_attribute.attname AND NOT inherited
    ) AS order_of_time
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
INNER JOIN pg_attribute ON attrelid = relation.oid
WHERE nspname = $1 AND relname = $2 AND attname = $3 AND NOT attisdropped
