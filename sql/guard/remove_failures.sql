-- Removes all but the last 20 failures.
--
-- Reads:   kalends.failure
-- Writes:  kalends.failure
-- Params:  none
-- Repeat:  safe

DELETE FROM kalends.failure
WHERE failure NOT IN (SELECT newest.failure FROM kalends.failure AS newest ORDER BY newest.failure DESC LIMIT 20)
