-- Distributes a table of rows over the nodes of a Citus cluster, by the time of its rows.
--
-- Reads:   kalends_raw.<table>, if it has rows
-- Writes:  its shards
-- Params:  $1 text name of the table, $2 text name of the time column, $3 text table to put it with, or default
-- Repeat:  once a table

SELECT create_distributed_table(format('kalends_raw.%I', $1::text)::regclass, $2::text, colocate_with => $3::text)
