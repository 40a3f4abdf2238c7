-- Whether a month of the warehouse's rows has its table, or something else has that name.
--
-- Reads:   the catalogue, by functions: a query of its tables takes longer to plan than to answer
-- Writes:  nothing
-- Params:  $1 text name of the month's table, $2 text name of the entity's table of rows
-- Repeat:  safe

SELECT
    -- Directly below the table of rows, not below one of its partitions.
    coalesce(
        pg_partition_root(found.relation) = to_regclass(format('kalends_raw.%I', $2::text))
        AND (SELECT count(*) = 2 FROM pg_partition_ancestors(found.relation)),
        false
    ) AS attached
FROM to_regclass(format('kalends_raw.%I', $1::text)) AS found (relation)
WHERE found.relation IS NOT NULL
