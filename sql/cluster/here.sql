-- Lets Citus, where there is any, create what follows on the coordinator alone: views of accounts, which no node has.
-- PostgreSQL without Citus takes it for the setting of nobody.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe; until sql/cluster/everywhere.sql or the end of the transaction

SET LOCAL citus.enable_ddl_propagation = off;
