-- Before rows are sent to us in bulk: we may take none for a while, when the other server is slow, and the system does
-- not tell that from a connection that is dead.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none; the limit is whole milliseconds
-- Repeat:  safe

SET LOCAL tcp_user_timeout = {{ dead_ms }};
