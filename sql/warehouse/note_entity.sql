-- Notes what an entity's tables were made from, and gives the entity's number.
--
-- Reads:   nothing
-- Writes:  kalends.entity
-- Params:  $1 text name, $2 text definition, as JSON
-- Repeat:  safe; in the transaction that makes the tables

INSERT INTO kalends.entity (name, definition) VALUES ($1, $2::jsonb)
ON CONFLICT (name) DO UPDATE SET definition = excluded.definition
RETURNING number
