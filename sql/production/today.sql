-- The day of the snapshot where the entity's days are: a month that ends at or before it has ended.
--
-- Reads:   the clock
-- Writes:  nothing
-- Params:  $1 text time zone
-- Repeat:  safe

SELECT (transaction_timestamp() AT TIME ZONE $1::text)::date AS today
