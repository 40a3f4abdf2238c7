-- Waits until nobody reads the entities' tables, and makes readers wait until the replaced tables are committed.
--
-- Reads:   nothing
-- Writes:  nothing; the lock ends with the transaction
-- Params:  none
-- Repeat:  safe; before the first statement that drops or replaces a table or view

LOCK TABLE kalends.entity IN ACCESS EXCLUSIVE MODE;
