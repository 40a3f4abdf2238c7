-- A server of version 14 or later soon notices that its client is gone, and releases the statement and its locks.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none
-- Repeat:  safe

SET LOCAL client_connection_check_interval = '200ms';
