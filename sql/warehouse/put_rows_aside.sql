-- Moves the table of rows of a forgotten entity out of the way, until its months are dropped. This locks no month's
-- table.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  no; in the transaction that forgets the entity

ALTER TABLE kalends_raw.{{ rows }} RENAME TO {{ aside }}
