-- The roles of a database that has just been made. Neither is a superuser: the tools own the database and no more, and
-- pgAdmin's role reads. The passwords are read from files, so they are in no argument and no environment.

\set tools_password `cat /run/passwords/kalends`
\set reader_password `cat /run/passwords/reader`

CREATE ROLE kalends LOGIN PASSWORD :'tools_password';
CREATE ROLE reader LOGIN PASSWORD :'reader_password' IN ROLE pg_read_all_data;
ALTER ROLE reader SET default_transaction_read_only = on;

-- The owner of a database may create schemas in it, and tables in its schema `public`.
ALTER DATABASE :"DBNAME" OWNER TO kalends;
