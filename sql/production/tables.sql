-- Tables that could be accounted for, and things like tables: their columns, and what the role may see of them.
--
-- Partitions are left out, because the whole table has their rows. So are system schemas and those of Kalends.
--
-- Reads:   pg_class, pg_namespace, pg_attribute, pg_attrdef, pg_constraint, pg_inherits, pg_depend, pg_extension,
--          pg_type, pg_partitioned_table, pg_stats
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

WITH guesses AS MATERIALIZED (
    SELECT schemaname, tablename, attname, max(n_distinct) AS n_distinct
    FROM pg_stats
    GROUP BY schemaname, tablename, attname
)
SELECT
    namespace.nspname::text AS schema,
    relation.relname::text AS name,
    relation.relkind::text AS kind,
    has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT') AS readable,
    row_security_active(relation.oid) AS hides_rows,
    (
        SELECT extension.extname::text FROM pg_depend
        INNER JOIN pg_extension AS extension ON refobjid = extension.oid
        WHERE
            classid = 'pg_class'::regclass AND objid = relation.oid
            AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
    ) AS extension,
    (
        SELECT format('%s.%s', above.nspname, parent.relname) FROM pg_inherits
        INNER JOIN pg_class AS parent ON inhparent = parent.oid
        INNER JOIN pg_namespace AS above ON parent.relnamespace = above.oid
        WHERE inhrelid = relation.oid
        ORDER BY inhseqno
        LIMIT 1
    ) AS parent,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', own.attname,
            'kind', CASE WHEN kind.typtype = 'e' THEN 'enum' ELSE format_type(atttypid, NULL) END,
            'required', attnotnull,
            'defaults_to_now', coalesce(
                pg_get_expr(adbin, adrelid)
                ~* '\m(now\(\)|current_timestamp|current_date|localtimestamp|(clock|statement|transaction)_timestamp\(\))',
                false
            ),
            'key', CASE
                WHEN 'p' = ANY(keys.types) THEN 'primary key'
                WHEN 'f' = ANY(keys.types) THEN 'foreign key'
                WHEN attidentity <> '' OR pg_get_expr(adbin, adrelid) LIKE 'nextval(%' THEN 'numbered by a sequence'
            END,
            'divides', coalesce(attnum = ANY(divided.partattrs::int2[]), false),
            'values', coalesce(n_distinct, 0)
        ) ORDER BY attnum), '[]')
        FROM pg_attribute AS own
        INNER JOIN pg_type AS kind ON atttypid = kind.oid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_partitioned_table AS divided ON partrelid = attrelid
        LEFT JOIN LATERAL (
            SELECT array_agg(contype::text) AS types FROM pg_constraint WHERE conrelid = attrelid AND attnum = ANY(conkey)
        ) AS keys ON true
        LEFT JOIN guesses
            ON schemaname = namespace.nspname AND tablename = relation.relname AND guesses.attname = own.attname
        WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    )::text AS columns
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE
    relation.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relation.relispartition
    -- A temporary table belongs to another session, or disappears with this one.
    AND relation.relpersistence <> 't'
    AND namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
    AND namespace.nspname NOT IN ('kalends', 'kalends_raw', 'kalends_stats')
ORDER BY namespace.nspname COLLATE "C", relation.relname COLLATE "C"
