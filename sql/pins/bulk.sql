-- For receiving many rows: Kalends may accept none for a while if the other server is slow, and the system cannot
-- distinguish that from a dead connection.
--
-- Reads:   nothing
-- Writes:  nothing; SET LOCAL ends with the transaction
-- Params:  none; the limit is whole milliseconds
-- Repeat:  safe

SET LOCAL tcp_user_timeout = {{ dead_ms }};
