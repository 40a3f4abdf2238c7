-- Which of the schemas exist, before the first migration creates their objects.
--
-- Reads:   pg_namespace, pg_class, pg_proc, pg_type
-- Writes:  nothing
-- Params:  $1 text[] names of schemas
-- Repeat:  safe

SELECT
    wanted.name,
    quote_ident(current_user) AS role,
    quote_ident(current_database()) AS database,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    namespace.oid IS NOT NULL AS made,
    pg_get_userbyid(namespace.nspowner)::text AS owner,
    coalesce(pg_has_role(namespace.nspowner, 'USAGE'), false) AS owned,
    (
        EXISTS (SELECT FROM pg_class WHERE relnamespace = namespace.oid)
        OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = namespace.oid)
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = namespace.oid)
    ) AS filled
FROM unnest($1::text[]) AS wanted (name)
LEFT JOIN pg_namespace AS namespace ON wanted.name = namespace.nspname
ORDER BY wanted.name
