-- Which server this is, whether it can be written to, and how the connection to it is protected.
--
-- Reads:   pg_control_system(), pg_database, pg_stat_ssl
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS database_oid,
    current_setting('server_version') AS version,
    pg_is_in_recovery() AS standby,
    -- Of the session that the server sees: behind a pooler, this is the pooler's.
    (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS protocol
