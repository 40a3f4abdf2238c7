-- The roles of both databases; to be repeated at any time. Neither is a superuser; what they may do is said elsewhere:
-- in test_source.sql for production, in grants.sql for the warehouse. The passwords are read from files, so they are in
-- no argument and no environment; those of a database that is older than the files are replaced.

\set superuser_password `cat /run/passwords/superuser`
\set tools_password `cat /run/passwords/kalends`
\set reader_password `cat /run/passwords/reader`

ALTER ROLE postgres PASSWORD :'superuser_password';

SELECT to_regrole('kalends') IS NULL AS is_new \gset
\if :is_new
CREATE ROLE kalends LOGIN;
\endif
ALTER ROLE kalends LOGIN PASSWORD :'tools_password';

-- pgAdmin's, which stands open: it reads everything in both databases, and so is not the reader of grants.sql.
SELECT to_regrole('reader') IS NULL AS is_new \gset
\if :is_new
CREATE ROLE reader LOGIN;
\endif
ALTER ROLE reader LOGIN PASSWORD :'reader_password';
ALTER ROLE reader SET default_transaction_read_only = on;
GRANT pg_read_all_data TO reader;
