-- Notes what an entity's tables were created from, and returns the entity's number.
--
-- Settlements of a new entity are counted from the generation, so that their numbers are later than those of an entity
-- that was forgotten.
--
-- Reads:   kalends.state
-- Writes:  kalends.entity
-- Params:  $1 text name, $2 text definition, as JSON
-- Repeat:  safe; in the transaction that creates the tables

INSERT INTO kalends.entity (name, definition, settlement)
SELECT $1::text, $2::jsonb, generation FROM kalends.state
ON CONFLICT (name) DO UPDATE SET definition = excluded.definition
RETURNING number
