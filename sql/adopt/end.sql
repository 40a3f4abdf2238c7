-- Notes that an entity's rows were taken over and its files published.
--
-- Reads:   nothing
-- Writes:  kalends.adoption
-- Params:  $1 text entity
-- Repeat:  safe

DELETE FROM kalends.adoption WHERE entity = $1
