-- Removes an entity's notes of what is left as it was settled, before new ones are written.
--
-- Reads:   nothing
-- Writes:  kalends.held
-- Params:  $1 text entity
-- Repeat:  safe

DELETE FROM kalends.held WHERE entity = $1::text
