-- Whether a month of the warehouse's rows has its table, or something else has that name.
--
-- Reads:   pg_class, pg_inherits
-- Writes:  nothing
-- Params:  $1 text name of the month's table, $2 text name of the entity's table of rows
-- Repeat:  safe

SELECT
    EXISTS (
        SELECT FROM pg_inherits
        INNER JOIN pg_class AS parent ON inhparent = parent.oid
        WHERE
            inhrelid = relation.oid
            AND parent.relname = $2 AND parent.relnamespace = 'kalends_raw'::regnamespace
    ) AS attached
FROM pg_class AS relation
WHERE relation.relname = $1 AND relation.relnamespace = 'kalends_raw'::regnamespace
