-- Drops the table of rows of a forgotten entity, of which no month is left.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  safe; in the transaction that takes away the note of it

DROP TABLE IF EXISTS kalends_raw.{{ aside }}
