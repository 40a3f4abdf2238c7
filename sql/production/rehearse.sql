-- Precedes a statement that is planned and not run: the server checks names, types and rights as if it ran.
--
-- Reads:   what the following statement names, as far as planning does
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

EXPLAIN
