-- Marks where a month's rows are loaded and proven: what follows from them can be tried again from here.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SAVEPOINT proven
