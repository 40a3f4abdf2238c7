-- The rights that Kalends needs, and no others. By psql 11 or later, as a superuser, once in each database; to be
-- repeated at any time, for example for the table of another entity.
--
--     psql -d production_data -v reader=kalends_reader -v schema=public -v table=entity -f docs/grants.sql
--     psql -d warehouse_data -v writer=kalends_writer -f docs/grants.sql
--
--   reader      in production: makes the role where there is none, and lets it read the one table
--     schema    of the table
--     table     the table itself; left out where it is still to be made, with `maker`
--     maker     whoever makes tables in that schema: what it makes from now on is the reader's to read as well. More than
--               the least, for a table that is dropped and made anew every so often, and for those that come later
--   writer      in the warehouse: makes the role where there is none, and the three schemas, which are its own
--     business  a role that reads the statistics, today's and those to come; made where there is none
--   strict      any value: takes from PUBLIC what every role of the server has unasked: CONNECT and TEMPORARY on this
--               database, in production everything on `schema`, and in the warehouse CREATE on public. Others who live by
--               that need grants of their own
--
-- A role that is made here has no password yet: \password kalends_reader.

\set ON_ERROR_STOP on
BEGIN;

\if :{?strict}
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
\endif

\if :{?reader}
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader') AS is_new \gset
\if :is_new
CREATE ROLE :"reader" LOGIN;
-- Kalends asks for read only transactions itself; this is for whoever else has the password.
ALTER ROLE :"reader" SET default_transaction_read_only = on;
\endif
\if :{?strict}
REVOKE ALL ON SCHEMA :"schema" FROM PUBLIC;
\endif
GRANT CONNECT ON DATABASE :"DBNAME" TO :"reader";
GRANT USAGE ON SCHEMA :"schema" TO :"reader";
\if :{?table}
-- Of a partitioned table this is enough: nothing is granted on its partitions.
GRANT SELECT ON :"schema".:"table" TO :"reader";
\endif
\if :{?maker}
ALTER DEFAULT PRIVILEGES FOR ROLE :"maker" IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"reader";
\endif
\endif

\if :{?writer}
\if :{?strict}
-- Before PostgreSQL 15 every role may make tables in it.
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
-- Made here, so that Kalends needs no right to make schemas. What is in them it makes, and owns.
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
\endif
\endif

COMMIT;
