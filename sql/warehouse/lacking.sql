-- The first right that the role lacks on the schemas or their objects, and the statement that grants it.
--
-- Reads:   pg_namespace, pg_class, pg_proc
-- Writes:  nothing
-- Params:  $1 text[] names of the schemas
-- Repeat:  safe

WITH objects AS (
    SELECT
        1 AS rank,
        'schema ' || quote_ident(nspname) AS object,
        'SCHEMA ' || quote_ident(nspname) AS named,
        nspowner AS owner,
        ARRAY[
            CASE WHEN NOT has_schema_privilege(oid, 'USAGE') THEN 'USAGE' END,
            CASE WHEN NOT has_schema_privilege(oid, 'CREATE') THEN 'CREATE' END
        ] AS wanted
    FROM pg_namespace
    WHERE nspname = ANY($1)
    UNION ALL
    SELECT
        2,
        CASE relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || format('%I.%I', nspname, relname),
        CASE relkind WHEN 'v' THEN 'VIEW ' ELSE 'TABLE ' END || format('%I.%I', nspname, relname),
        relowner,
        ARRAY[
            CASE WHEN NOT has_table_privilege(relation.oid, 'SELECT') THEN 'SELECT' END,
            CASE WHEN relkind <> 'v' AND NOT has_table_privilege(relation.oid, 'INSERT') THEN 'INSERT' END,
            CASE WHEN relkind <> 'v' AND NOT has_table_privilege(relation.oid, 'UPDATE') THEN 'UPDATE' END,
            CASE WHEN relkind <> 'v' AND NOT has_table_privilege(relation.oid, 'DELETE') THEN 'DELETE' END
        ]
    FROM pg_class AS relation
    INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
    WHERE nspname = ANY($1) AND relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT
        3,
        'function ' || function.oid::regprocedure,
        'FUNCTION ' || function.oid::regprocedure,
        proowner,
        ARRAY[CASE WHEN NOT has_function_privilege(function.oid, 'EXECUTE') THEN 'EXECUTE' END]
    FROM pg_proc AS function
    INNER JOIN pg_namespace AS namespace ON function.pronamespace = namespace.oid
    WHERE nspname = ANY($1)
)

SELECT
    quote_ident(current_user) AS role,
    object,
    -- If all schemas belong to another role, that is the one to use for the warehouse.
    (
        SELECT min(pg_get_userbyid(nspowner))
        FROM pg_namespace
        WHERE nspname = ANY($1)
        HAVING count(DISTINCT nspowner) = 1 AND NOT bool_or(pg_has_role(nspowner, 'USAGE'))
    ) AS owner,
    CASE
        WHEN NOT pg_has_role(owner, 'USAGE') THEN format('ALTER %s OWNER TO %I', named, current_user)
        -- GRANT calls a view a table.
        ELSE format(
            'GRANT %s ON %s TO %I',
            array_to_string(wanted, ', '), regexp_replace(named, '^VIEW ', 'TABLE '), current_user
        )
    END AS remedy
FROM objects
WHERE NOT pg_has_role(owner, 'USAGE') OR array_to_string(wanted, '') <> ''
ORDER BY rank, object
LIMIT 1
