-- Notes that the rows of a forgotten entity are to be dropped.
--
-- Reads:   nothing
-- Writes:  kalends.forgotten
-- Params:  $1 integer number of the entity, $2 text its name
-- Repeat:  no; in the transaction that forgets the entity

INSERT INTO kalends.forgotten (number, entity) VALUES ($1::integer, $2::text)
