-- Removes the note of an entity, and returns its number.
--
-- Reads:   nothing
-- Writes:  kalends.entity
-- Params:  $1 text entity
-- Repeat:  no; in the transaction that forgets the entity

DELETE FROM kalends.entity WHERE name = $1::text RETURNING number
