-- A schema that nobody has made for us. It takes CREATE on the database, which is why docs/grants.sql makes it
-- beforehand.
--
-- Reads:   nothing
-- Writes:  <schema>
-- Params:  none
-- Repeat:  once, in the transaction of the first migration

CREATE SCHEMA {{ schema }}
