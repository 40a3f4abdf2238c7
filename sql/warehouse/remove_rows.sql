-- Takes an entity's rows out of the warehouse, with all its months.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  no; in a transaction that forgets the entity or makes it anew

DROP TABLE kalends_raw.{{ rows }}
