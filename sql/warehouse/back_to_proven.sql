-- Rolls back to where a month's rows were proven, and releases the locks taken since.
--
-- Reads:   nothing
-- Writes:  what was written since
-- Params:  none
-- Repeat:  safe

ROLLBACK TO SAVEPOINT proven
