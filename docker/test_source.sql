-- Marks production as a test source: `kalends simulate` deletes and writes months there, and refuses to where this
-- mark is missing. A production database that holds real rows is never to have it.

ALTER DATABASE :"DBNAME" SET kalends.test_source = 'on';
