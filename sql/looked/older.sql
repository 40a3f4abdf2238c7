-- The older days of an entity, in order, each with the moment that they were looked at as of.
--
-- Reads:   kalends.looked
-- Writes:  nothing
-- Params:  $1 text entity
-- Repeat:  safe

SELECT from_day, until_day, (extract(epoch FROM as_of) * 1000000)::bigint AS as_of_us
FROM kalends.looked
WHERE entity = $1::text
ORDER BY from_day
