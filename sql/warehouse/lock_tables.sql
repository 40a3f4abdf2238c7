-- Prevents the entities' tables from being replaced, from before the snapshot in which they are read. A snapshot that
-- is older than a table shows none of its rows.
--
-- Reads:   nothing yet
-- Writes:  nothing; ACCESS SHARE is the lock of any SELECT
-- Params:  none
-- Repeat:  safe

LOCK TABLE kalends.entity IN ACCESS SHARE MODE;
