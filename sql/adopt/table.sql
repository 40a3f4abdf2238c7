-- Whether another tool's table exists, and the types of its columns that correspond to production's.
--
-- Reads:   pg_class, pg_attribute, pg_type
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table, $3 text[] columns
-- Repeat:  safe

SELECT
    relation.relkind::text AS kind,
    wanted.name,
    -- NULL for a missing column. The type of a domain is that of its base.
    coalesce(base.typname, own.typname)::text AS known,
    format_type(attribute.atttypid, NULL) AS written
FROM pg_class AS relation
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS wanted (name, position)
LEFT JOIN pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attname = wanted.name
    AND attribute.attnum > 0 AND NOT attribute.attisdropped
LEFT JOIN pg_type AS own ON attribute.atttypid = own.oid
LEFT JOIN pg_type AS base ON own.typtype = 'd' AND own.typbasetype = base.oid
WHERE namespace.nspname = $1 AND relation.relname = $2
ORDER BY wanted.position
