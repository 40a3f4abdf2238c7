-- Locks the table before the snapshot is taken. After a TRUNCATE or a rewriting ALTER TABLE between the snapshot and
-- the first read, it would show no rows at all.
--
-- Reads:   nothing yet
-- Writes:  nothing; ACCESS SHARE is the lock of any SELECT
-- Params:  none
-- Repeat:  safe

LOCK TABLE {{ schema }}.{{ table }} IN ACCESS SHARE MODE;
