-- Removes the note that the rows of an entity are to be dropped.
--
-- Reads:   nothing
-- Writes:  kalends.forgotten
-- Params:  $1 integer number of the entity
-- Repeat:  safe; in the transaction that drops the last of them

DELETE FROM kalends.forgotten WHERE number = $1::integer
