-- Makes production a test source: `kalends simulate` deletes and writes months there, and refuses to where this mark is
-- missing. A production database that holds real rows is never to have it.

ALTER DATABASE :"DBNAME" SET kalends.test_source = 'on';

-- Here the tools are the pretend production system as well, which makes its table itself: the owner of a database may
-- make tables in its schema `public`.
ALTER DATABASE :"DBNAME" OWNER TO kalends;
