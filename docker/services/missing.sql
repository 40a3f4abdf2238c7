-- What the database does not have of what roles.sql, test_source.sql and warehouse.sql give it, a line each.

SELECT 'there is no role ' || name
FROM unnest(ARRAY['kalends', 'reader']) AS name
WHERE to_regrole(name) IS NULL
UNION ALL
SELECT 'the database is not marked as a test source'
WHERE current_database() = 'production_data' AND NOT EXISTS (
    SELECT
    FROM pg_db_role_setting AS setting
    JOIN pg_database AS database ON database.oid = setting.setdatabase
    WHERE database.datname = current_database() AND 'kalends.test_source=on' = ANY (setting.setconfig)
)
UNION ALL
SELECT 'there is no schema ' || name
FROM unnest(ARRAY['kalends', 'kalends_raw', 'kalends_stats']) AS name
WHERE current_database() = 'warehouse_data' AND to_regnamespace(name) IS NULL;
