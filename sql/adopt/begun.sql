-- Whether an entity's rows are being taken over, by a run that is at work or was interrupted.
--
-- Reads:   kalends.adoption
-- Writes:  nothing
-- Params:  $1 text entity
-- Repeat:  safe

SELECT taken_from FROM kalends.adoption WHERE entity = $1
