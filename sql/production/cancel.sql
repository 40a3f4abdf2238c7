-- Cancels what one of our sessions is doing, if it is still at work.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  $1 integer process of our session
-- Repeat:  safe

SELECT pg_cancel_backend($1)
