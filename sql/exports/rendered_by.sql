-- What files are rendered by: the definition of each view, with those of the functions and the view that it may use,
-- and whether it reads nothing else than the accounts that Kalends made it for, in an ordinary table.
--
-- Reads:   pg_class, pg_am, pg_depend, pg_rewrite, pg_proc
-- Writes:  nothing
-- Params:  $1 text[] views in kalends, $2 text[] the tables of kalends_stats that they read
-- Repeat:  safe

WITH functions AS (
    SELECT
        string_agg(
            concat_ws(' ', proname, oidvectortypes(proargtypes), prolang, provolatile, prosrc), E'\n'
            ORDER BY proname COLLATE "C", oidvectortypes(proargtypes) COLLATE "C"
        ) AS definitions
    FROM pg_proc
    WHERE pronamespace = 'kalends'::regnamespace
)

SELECT
    concat_ws(
        E'\n', named.view, pg_get_viewdef(view.oid), pg_get_viewdef('kalends.freshness'::regclass),
        functions.definitions
    ) AS definition,
    accounts.relkind = 'r' AND NOT accounts.relhassubclass
    AND EXISTS (SELECT FROM pg_am WHERE oid = accounts.relam AND amname = 'heap')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS needed
        INNER JOIN pg_rewrite AS rule ON needed.objid = rule.oid
        WHERE
            needed.classid = 'pg_rewrite'::regclass
            AND rule.ev_class = view.oid
            AND CASE needed.refclassid
                WHEN 'pg_class'::regclass
                    THEN needed.refobjid NOT IN (view.oid, accounts.oid, 'kalends.freshness'::regclass)
                WHEN 'pg_proc'::regclass
                    THEN NOT EXISTS (
                        SELECT FROM pg_proc
                        WHERE oid = needed.refobjid AND pronamespace = 'kalends'::regnamespace
                    )
                ELSE true
            END
    ) AS ours
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS named (view, accounts, number)
INNER JOIN pg_class AS view
    ON view.relname = named.view AND view.relnamespace = 'kalends'::regnamespace AND view.relkind = 'v'
INNER JOIN pg_class AS accounts
    ON accounts.relname = named.accounts AND accounts.relnamespace = 'kalends_stats'::regnamespace
CROSS JOIN functions
ORDER BY named.number
