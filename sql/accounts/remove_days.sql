-- Takes the accounts of vanished days out of the ledger.
--
-- Reads:   nothing
-- Writes:  the entity's table of days
-- Params:  $1 date[] days that hold no rows any more
-- Repeat:  safe

DELETE FROM kalends_stats.{{ days }}
WHERE day = ANY($1::date[])
