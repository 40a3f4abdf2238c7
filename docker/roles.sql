-- The roles of a database that has just been made. Neither is a superuser; what they may do is said elsewhere: in
-- test_source.sql for production, in docs/grants.sql for the warehouse. The passwords are read from files, so they are in no
-- argument and no environment.

\set tools_password `cat /run/passwords/kalends`
\set reader_password `cat /run/passwords/reader`

CREATE ROLE kalends LOGIN PASSWORD :'tools_password';
-- pgAdmin's, which stands open: it reads everything in both databases, and so is not the reader of docs/grants.sql.
CREATE ROLE reader LOGIN PASSWORD :'reader_password' IN ROLE pg_read_all_data;
ALTER ROLE reader SET default_transaction_read_only = on;
