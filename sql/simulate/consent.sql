-- Whether the database is marked as a test source. The mark is the catalogue's, not the session's: no connection option
-- can pretend it, and a dump restored elsewhere does not carry it.
--
-- Reads:   pg_db_role_setting, pg_database
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    current_database()::text AS database,
    EXISTS (
        SELECT FROM pg_db_role_setting AS setting
        INNER JOIN pg_database AS database ON setting.setdatabase = database.oid
        WHERE
            database.datname = current_database()
            AND setting.setrole = 0
            AND 'kalends.test_source=on' = ANY(setting.setconfig)
    ) AS marked
