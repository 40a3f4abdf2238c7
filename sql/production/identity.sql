-- Which server this is, whether the table can be accounted for, and whether the role may read it. Takes the snapshot.
--
-- Reads:   pg_control_system(), pg_database, pg_class, pg_namespace, pg_attribute, pg_inherits, the log's position
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table, $3 text[] columns
-- Repeat:  safe

SELECT
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS database_oid,
    -- When the transaction began, shortly before its snapshot.
    to_char(transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS as_of,
    (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint AS as_of_us,
    pg_backend_pid() AS pid,
    -- The position of the log. What is flushed survives a crash, so it never decreases by itself.
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END AS position,
    relation.relkind::text AS kind,
    relation.relpersistence::text AS persistence,
    -- The catalogue is read as of the snapshot, but rights as of now: they are NULL for what was dropped in between.
    (has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT')) IS NULL AS gone,
    coalesce(has_schema_privilege(namespace.oid, 'USAGE'), false) AS may_use_schema,
    coalesce(has_table_privilege(relation.oid, 'SELECT'), false) AS may_read,
    -- Also true if a policy shows all rows: with row_security off, the server refuses every policy that applies.
    row_security_active(relation.oid) AS hides_rows,
    -- A foreign table among its partitions or children: reading it runs code of a wrapper, and no lock protects its
    -- rows.
    (
        WITH RECURSIVE parts (oid) AS (
            SELECT relation.oid
            UNION
            SELECT inhrelid FROM pg_inherits INNER JOIN parts ON inhparent = parts.oid
        )
        SELECT min(format('%I.%I', above.nspname, part.relname))
        FROM parts
        INNER JOIN pg_class AS part ON parts.oid = part.oid AND part.relkind = 'f'
        INNER JOIN pg_namespace AS above ON part.relnamespace = above.oid
    ) AS foreign_part,
    quote_ident(current_user) AS role,
    quote_ident(namespace.nspname) AS schema_name,
    format('%I.%I', namespace.nspname, relation.relname) AS table_name,
    -- NULL for a missing column.
    ARRAY(
        SELECT (
            SELECT format_type(atttypid, NULL) FROM pg_attribute
            WHERE attrelid = relation.oid AND attname = wanted.name AND attnum > 0 AND NOT attisdropped
        )
        FROM unnest($3::text[]) WITH ORDINALITY AS wanted (name, position)
        ORDER BY wanted.position
    ) AS types,
    -- What each type is declared with, such as the digits of a numeric.
    ARRAY(
        SELECT (
            SELECT atttypmod FROM pg_attribute
            WHERE attrelid = relation.oid AND attname = wanted.name AND attnum > 0 AND NOT attisdropped
        )
        FROM unnest($3::text[]) WITH ORDINALITY AS wanted (name, position)
        ORDER BY wanted.position
    ) AS modifiers
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE namespace.nspname = $1 AND relation.relname = $2
