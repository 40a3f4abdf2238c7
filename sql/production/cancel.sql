-- Ends what a session of ours is doing, if it still does something.
--
-- Reads:   nothing
-- Writes:  nothing
-- Params:  $1 integer process of our session
-- Repeat:  safe

SELECT pg_cancel_backend($1)
