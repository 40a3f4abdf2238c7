-- Waits until nobody reads the entities' tables, and keeps readers waiting until those that replace them are committed.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe; before the first statement that drops or replaces a table or view

LOCK TABLE kalends.entity IN ACCESS EXCLUSIVE MODE;
