-- Whether a table of rows is there that no entity is noted with.
--
-- Reads:   pg_class, pg_namespace
-- Writes:  nothing
-- Params:  $1 text name of an entity that is not noted
-- Repeat:  safe

SELECT EXISTS (
    SELECT FROM pg_class AS relation
    INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
    WHERE namespace.nspname = 'kalends_raw' AND relation.relname = $1
) AS taken
