-- Drops an entity's table of rows, with all its months.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  no; in a transaction that forgets or rebuilds the entity

DROP TABLE kalends_raw.{{ rows }}
