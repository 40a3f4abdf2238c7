-- Which database this is, and whether Kalends has been here.
--
-- Reads:   pg_control_system(), pg_database
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS database_oid,
    to_regclass('kalends.state') IS NOT NULL AS prepared
