-- A server of version 14 or later notices soon when its client is gone, and gives up the statement and its locks.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL client_connection_check_interval = '200ms';
