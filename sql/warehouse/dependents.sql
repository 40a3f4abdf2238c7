-- The first object that depends on an entity's table of rows or on that of a month, and so prevents dropping it.
--
-- Reads:   pg_depend, pg_class, pg_inherits, pg_type
-- Writes:  nothing
-- Params:  $1 text name of the entity's table of rows
-- Repeat:  safe

WITH ours AS (
    SELECT oid FROM pg_class WHERE relname = $1 AND relnamespace = 'kalends_raw'::regnamespace
    UNION ALL
    SELECT part.inhrelid
    FROM pg_inherits AS part
    INNER JOIN pg_class AS parent ON part.inhparent = parent.oid
    WHERE parent.relname = $1 AND parent.relnamespace = 'kalends_raw'::regnamespace
),

dropped AS (
    SELECT 'pg_class'::regclass AS class, oid FROM ours
    UNION ALL
    -- A column or a function may have a table's type.
    SELECT 'pg_type'::regclass, row_type.oid
    FROM ours
    INNER JOIN pg_type AS row_type ON row_type.typrelid = ours.oid
)

SELECT pg_describe_object(dependent.classid, dependent.objid, dependent.objsubid) AS dependent
FROM pg_depend AS dependent
INNER JOIN dropped ON dependent.refclassid = dropped.class AND dependent.refobjid = dropped.oid
WHERE
    -- Parts of the table are dropped with it.
    dependent.deptype = 'n'
ORDER BY dependent.classid, dependent.objid
LIMIT 1
