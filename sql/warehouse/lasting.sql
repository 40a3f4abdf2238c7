-- Whether the warehouse can be written to, and whether what is written survives a crash of its server.
--
-- Reads:   pg_class, pg_namespace
-- Writes:  nothing
-- Params:  $1 text[] names of the schemas
-- Repeat:  safe

SELECT
    pg_is_in_recovery() AS standby,
    -- Indexes are like their tables, and a partitioned table stores nothing itself.
    ARRAY(
        SELECT format('%I.%I', nspname, relname)
        FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE nspname = ANY($1) AND relpersistence = 'u' AND relkind IN ('r', 'S')
        ORDER BY 1
    ) AS unlogged
