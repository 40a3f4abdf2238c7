-- Stands before a statement that is planned and not run: the server checks names, types and rights as if it ran.
--
-- Reads:   what the statement behind it names, as far as planning does
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

EXPLAIN
