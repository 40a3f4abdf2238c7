-- Creates a schema, if nobody else has. This requires CREATE on the database, which is why docs/grants.sql creates it
-- beforehand.
--
-- Reads:   nothing
-- Writes:  <schema>
-- Params:  none
-- Repeat:  once, in the transaction of the first migration

CREATE SCHEMA {{ schema }}
