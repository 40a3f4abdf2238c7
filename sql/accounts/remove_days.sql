-- Removes the accounts of vanished days from the ledger.
--
-- Reads:   nothing
-- Writes:  the entity's table of days
-- Params:  $1 date[] days that no longer have rows
-- Repeat:  safe

DELETE FROM kalends_stats.{{ days }}
WHERE day = ANY($1::date[])
