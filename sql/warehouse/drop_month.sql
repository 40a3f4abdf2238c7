-- Drops the table of a month of a forgotten entity.
--
-- Reads:   nothing
-- Writes:  schema kalends_raw
-- Params:  none
-- Repeat:  no; in a transaction that drops some of them

DROP TABLE {{ schema }}.{{ table }};
