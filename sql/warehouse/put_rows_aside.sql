-- Takes the table of rows of an entity that is forgotten out of sight, until its months are dropped. Of a table with
-- months this locks none of these.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  no; in the transaction that forgets the entity

ALTER TABLE kalends_raw.{{ rows }} RENAME TO {{ aside }}
