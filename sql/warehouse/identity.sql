-- Which database this is, and whether Kalends has created its schemas here.
--
-- Reads:   pg_control_system(), pg_database, pg_class, pg_namespace, pg_extension
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS database_oid,
    -- From the catalogue: to_regclass() fails for a role that may not use the schema.
    EXISTS (
        SELECT FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE namespace.nspname = 'kalends' AND relation.relname = 'state'
    ) AS prepared,
    EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS has_citus
