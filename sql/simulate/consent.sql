-- Whether the database is marked as a test source. The mark is in the catalogue, not in the session: no connection
-- option can imitate it, and a dump that is restored elsewhere does not contain it.
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
