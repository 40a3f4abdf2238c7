-- Takes the accounts of vanished days out of the ledger.
--
-- Reads:   nothing
-- Writes:  kalends_stats.entity_day
-- Params:  $1 date[] days that hold no rows any more
-- Repeat:  safe

DELETE FROM kalends_stats.entity_day
WHERE day = ANY($1::date[])
