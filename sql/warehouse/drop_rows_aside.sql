-- Drops the table of rows of a forgotten entity when no month is left.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  safe; in the transaction that removes the note of it

DROP TABLE IF EXISTS kalends_raw.{{ aside }}
