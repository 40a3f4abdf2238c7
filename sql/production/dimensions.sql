-- The types of the columns that are dimensions: how they are written, whether the warehouse can have them as well, and
-- why they cannot be dimensions; and the encoding of texts.
--
-- Reads:   pg_class, pg_attribute, pg_type, pg_range, pg_opclass, pg_cast
-- Writes:  nothing
-- Params:  $1 text schema, $2 text table, $3 text[] columns
-- Repeat:  safe

WITH RECURSIVE wanted AS (
    SELECT column_of.name, column_of.position, attribute.atttypid AS type
    FROM unnest($3::text[]) WITH ORDINALITY AS column_of (name, position)
    INNER JOIN pg_namespace AS namespace ON namespace.nspname = $1
    INNER JOIN pg_class AS relation ON relation.relnamespace = namespace.oid AND relation.relname = $2
    INNER JOIN pg_attribute AS attribute
        ON attribute.attrelid = relation.oid AND attribute.attname = column_of.name
        AND attribute.attnum > 0 AND NOT attribute.attisdropped
),

-- Each type with the types that it consists of: domains, arrays, ranges, composites.
parts (position, type, depth) AS (
    SELECT position, type, 0 FROM wanted
    UNION
    SELECT parts.position, inner_type.type, parts.depth + 1
    FROM parts
    INNER JOIN pg_type AS outer_type ON parts.type = outer_type.oid
    CROSS JOIN LATERAL (
        SELECT outer_type.typbasetype WHERE outer_type.typtype = 'd'
        UNION ALL
        SELECT outer_type.typelem WHERE outer_type.typtype = 'b' AND outer_type.typcategory = 'A'
        UNION ALL
        SELECT rngsubtype FROM pg_range WHERE rngtypid = outer_type.oid
        UNION ALL
        SELECT atttypid FROM pg_attribute
        WHERE outer_type.typtype = 'c' AND attrelid = outer_type.typrelid AND attnum > 0 AND NOT attisdropped
    ) AS inner_type (type)
    WHERE parts.depth < 20
),

-- The types that have default operator classes for sorting and hashing, or are read as a type that has.
able AS MATERIALIZED (
    SELECT of_type.type
    FROM pg_opclass AS class
    INNER JOIN pg_am AS method ON class.opcmethod = method.oid AND method.amname IN ('btree', 'hash')
    CROSS JOIN LATERAL (
        SELECT class.opcintype
        UNION ALL
        SELECT castsource FROM pg_cast
        WHERE casttarget = class.opcintype AND castmethod = 'b' AND castcontext = 'i'
    ) AS of_type (type)
    WHERE class.opcdefault
    GROUP BY of_type.type
    HAVING count(DISTINCT method.amname) = 2
),

-- The innermost types that do not: base types and pseudo-types.
unfit AS (
    SELECT parts.position, min(format_type(parts.type, NULL)) AS type
    FROM parts
    INNER JOIN pg_type AS part ON parts.type = part.oid
    WHERE
        (part.typtype = 'p' OR part.typtype = 'b' AND part.typcategory <> 'A')
        AND parts.type NOT IN (SELECT able.type FROM able)
    GROUP BY parts.position
),

-- The base of a domain, or of a domain over domains.
base AS (
    SELECT DISTINCT ON (parts.position) parts.position, part.typname
    FROM parts
    INNER JOIN pg_type AS part ON parts.type = part.oid
    INNER JOIN wanted ON parts.position = wanted.position
    INNER JOIN pg_type AS outermost ON wanted.type = outermost.oid
    WHERE part.typtype <> 'd' AND (parts.depth = 0 OR outermost.typtype = 'd')
    ORDER BY parts.position, parts.depth
)

SELECT
    wanted.name,
    format_type(wanted.type, NULL) AS written,
    -- NULL for types that the warehouse may not have, or that mean something else there: those that name objects by
    -- number.
    CASE
        WHEN
            own.typnamespace = 'pg_catalog'::regnamespace AND own.typtype IN ('b', 'r', 'm') AND own.typsend <> 0
            AND own.typname !~ '^_?reg'
            THEN own.typname::text
    END AS stored_as,
    base.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') AS number,
    unfit.type AS unfit,
    getdatabaseencoding()::text AS encoding
FROM wanted
INNER JOIN pg_type AS own ON wanted.type = own.oid
LEFT JOIN base ON wanted.position = base.position
LEFT JOIN unfit ON wanted.position = unfit.position
