-- Takes away what was noted of an entity, before it is noted anew.
--
-- Reads:   nothing
-- Writes:  kalends.held
-- Params:  $1 text entity
-- Repeat:  safe

DELETE FROM kalends.held WHERE entity = $1::text
