-- Lets Citus, where there is any, create what follows on all nodes that have shards of it.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe; after sql/cluster/here.sql

SET LOCAL citus.enable_ddl_propagation = on;
