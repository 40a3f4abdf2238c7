-- Grants Kalends the rights that it needs, and no others. Run it with psql 11 or later, as a superuser, once in each
-- database. Run it again at any time, for example to add a table.
--
--     psql -d production_data -v reader=kalends_reader -v schema=public -v table=entity -f docs/grants.sql
--     psql -d warehouse_data -v writer=kalends_writer -f docs/grants.sql
--
--   reader      for production: creates the role if it does not exist, and lets it read tables
--     schema    the schema of the tables
--     table     one table
--     all       any value: all tables that the schema has now
--     maker     a role that creates tables in this schema: the reader may also read all tables that it creates later.
--               Useful for tables that are dropped and created again. Give it with or without `table` or `all`
--   writer      for the warehouse: creates the role if it does not exist, and the three schemas that it owns
--     business  a role that reads the statistics and how fresh they are, those of later entities as well; created if it
--               does not exist
--   strict      any value: revokes what PUBLIC, that is every role, may do by default: CONNECT and TEMPORARY on this
--               database; on production also everything on `schema`; in the warehouse also CREATE on schema public.
--               Other roles that rely on these rights need grants of their own
--
-- A new role has no password. Set one with \password kalends_reader.

\set ON_ERROR_STOP on
BEGIN;

\if :{?strict}
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
\endif

\if :{?reader}
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader') AS is_new \gset
\if :is_new
CREATE ROLE :"reader" LOGIN;
-- Kalends asks for read-only transactions itself. This protects against others who know the password.
ALTER ROLE :"reader" SET default_transaction_read_only = on;
\endif
\if :{?strict}
REVOKE ALL ON SCHEMA :"schema" FROM PUBLIC;
\endif
GRANT CONNECT ON DATABASE :"DBNAME" TO :"reader";
GRANT USAGE ON SCHEMA :"schema" TO :"reader";
\if :{?table}
-- This is enough for a partitioned table: no grant on its partitions is needed.
GRANT SELECT ON :"schema".:"table" TO :"reader";
\endif
\if :{?all}
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"reader";
\endif
\if :{?maker}
ALTER DEFAULT PRIVILEGES FOR ROLE :"maker" IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"reader";
\endif
\endif

\if :{?writer}
\if :{?strict}
-- Before PostgreSQL 15 every role may create tables in it.
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public') AS has_public \gset
\if :has_public
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
\endif
\endif
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'writer') AS is_new \gset
\if :is_new
CREATE ROLE :"writer" LOGIN;
\endif
GRANT CONNECT ON DATABASE :"DBNAME" TO :"writer";
-- Created here, so that Kalends needs no right to create schemas. It creates and owns what is in them.
CREATE SCHEMA IF NOT EXISTS kalends;
CREATE SCHEMA IF NOT EXISTS kalends_raw;
CREATE SCHEMA IF NOT EXISTS kalends_stats;
ALTER SCHEMA kalends OWNER TO :"writer";
ALTER SCHEMA kalends_raw OWNER TO :"writer";
ALTER SCHEMA kalends_stats OWNER TO :"writer";
\if :{?business}
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'business') AS is_new \gset
\if :is_new
CREATE ROLE :"business" LOGIN;
ALTER ROLE :"business" SET default_transaction_read_only = on;
\endif
GRANT CONNECT ON DATABASE :"DBNAME" TO :"business";
GRANT USAGE ON SCHEMA kalends_stats TO :"business";
GRANT SELECT ON ALL TABLES IN SCHEMA kalends_stats TO :"business";
ALTER DEFAULT PRIVILEGES FOR ROLE :"writer" IN SCHEMA kalends_stats GRANT SELECT ON TABLES TO :"business";
-- When a run with nothing to do has confirmed the figures: for kalends_stats.freshness and the columns `closed`.
GRANT SELECT ON ALL SEQUENCES IN SCHEMA kalends TO :"business";
ALTER DEFAULT PRIVILEGES FOR ROLE :"writer" IN SCHEMA kalends GRANT SELECT ON SEQUENCES TO :"business";
\endif
\endif

COMMIT;
