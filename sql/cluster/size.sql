-- How large an entity is that is to be distributed.
--
-- Reads:   the entity's accounts of days; pg_partition_tree() of its table of rows
-- Writes:  nothing
-- Params:  $1 text name of the table of rows
-- Repeat:  safe

SELECT
    (SELECT coalesce(sum(rows), 0)::bigint FROM kalends_stats.{{ days }}) AS rows,
    coalesce(sum(pg_relation_size(relid)), 0)::bigint AS bytes,
    count(*) AS months
FROM pg_partition_tree(format('kalends_raw.%I', $1::text)::regclass)
WHERE isleaf AND level > 0
