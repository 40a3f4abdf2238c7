-- Takes a month's rows out, before they are simulated anew.
--
-- Reads:   :"schema".:"table"
-- Writes:  :"schema".:"table"
-- Params:  $1 date first day of the month, $2 date first day of the next
-- Repeat:  safe

DELETE FROM :"schema".:"table" WHERE :"time" >= $1 AND :"time" < $2
