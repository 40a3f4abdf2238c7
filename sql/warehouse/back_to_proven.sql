-- Takes back what was done since a month's rows were proven, with the locks of it.
--
-- Reads:   nothing
-- Writes:  what was written since
-- Params:  none
-- Repeat:  safe

ROLLBACK TO SAVEPOINT proven
