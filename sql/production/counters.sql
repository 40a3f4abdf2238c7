-- How many rows the server has counted as inserted, updated and deleted in a table, or in each of its partitions, and
-- the days whose rows a partition can have. A hint only: counts come late, and an aborted transaction counts as well.
--
-- Reads:   pg_class, pg_namespace, pg_attribute, pg_inherits, pg_partitioned_table, pg_index, pg_am, pg_stat_database,
--          counters
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table, $3 text time column, $4 text time zone
-- Repeat:  safe

WITH RECURSIVE root AS (
    SELECT relation.oid, attnum, format_type(atttypid, NULL) AS kind
    FROM pg_class AS relation
    INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
    INNER JOIN pg_attribute ON attrelid = relation.oid AND attname = $3::text AND NOT attisdropped
    WHERE namespace.nspname = $1::text AND relation.relname = $2::text
),

-- With the partition of the root that each belongs to.
parts AS (
    SELECT oid, NULL::oid AS top FROM root
    UNION
    SELECT inhrelid, coalesce(top, inhrelid) FROM pg_inherits INNER JOIN parts ON inhparent = parts.oid
),

-- The bounds of partitions, if the root is divided by ranges of the time alone: FOR VALUES FROM (...) TO (...).
bounds AS (
    SELECT
        top.oid,
        root.kind,
        regexp_match(pg_get_expr(top.relpartbound, top.oid), '^FOR VALUES FROM \((.+)\) TO \((.+)\)$') AS ends
    FROM root
    INNER JOIN pg_partitioned_table AS divided
        ON divided.partrelid = root.oid AND partstrat = 'r' AND partnatts = 1 AND partattrs[0] = root.attnum
    INNER JOIN pg_inherits ON inhparent = root.oid
    INNER JOIN pg_class AS top ON top.oid = inhrelid
),

ends AS (
    SELECT
        bounds.oid,
        bounds.kind,
        CASE WHEN ends[1] LIKE '''%''' THEN trim(BOTH '''' FROM ends[1]) END AS first,
        CASE WHEN ends[2] LIKE '''%''' THEN trim(BOTH '''' FROM ends[2]) END AS final
    FROM bounds
    WHERE ends IS NOT NULL
),

-- The day of the first bound, and the day after that of the moment before the final one.
days AS (
    SELECT
        oid,
        CASE kind
            WHEN 'date' THEN first::date
            WHEN 'timestamp with time zone' THEN (first::timestamptz AT TIME ZONE $4::text)::date
            ELSE first::timestamp::date
        END AS from_day,
        CASE kind
            WHEN 'date' THEN final::date
            WHEN 'timestamp with time zone'
                THEN ((final::timestamptz - INTERVAL '1 microsecond') AT TIME ZONE $4::text)::date + 1
            ELSE (final::timestamp - INTERVAL '1 microsecond')::date + 1
        END AS until_day
    FROM ends
)

SELECT
    part.oid AS leaf,
    part.relfilenode AS file,
    pg_stat_get_tuples_inserted(part.oid) AS inserted,
    pg_stat_get_tuples_updated(part.oid) AS updated,
    pg_stat_get_tuples_deleted(part.oid) AS deleted,
    days.from_day,
    days.until_day,
    (transaction_timestamp() AT TIME ZONE $4::text)::date AS today,
    (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint AS now_us,
    CASE
        WHEN pg_is_in_recovery() OR NOT current_setting('track_counts')::boolean THEN ''
        ELSE coalesce(
            (SELECT stats_reset::text FROM pg_stat_database WHERE datname = current_database()), 'the beginning'
        )
    END AS since,
    -- Whether the rows of some days are found without reading the whole table: by partitions, by an index that begins
    -- with the time, or by a BRIN index on it.
    EXISTS (SELECT FROM bounds) OR EXISTS (
        SELECT FROM root
        INNER JOIN pg_index ON indrelid = root.oid AND indisvalid AND indpred IS NULL
        INNER JOIN pg_class AS index ON index.oid = indexrelid
        INNER JOIN pg_am AS method ON method.oid = index.relam
        WHERE indkey[0] = root.attnum OR method.amname = 'brin' AND root.attnum = ANY(indkey)
    ) AS by_time
FROM parts
INNER JOIN pg_class AS part ON part.oid = parts.oid AND part.relkind = 'r'
LEFT JOIN days ON days.oid = parts.top
ORDER BY part.oid
