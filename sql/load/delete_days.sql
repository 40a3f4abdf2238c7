-- Deletes the rows of the days to reload. DELETE, not TRUNCATE, so that analysts can still read.
--
-- Reads:   kalends_raw.<partition>
-- Writes:  kalends_raw.<partition>
-- Params:  $1 date[] days
-- Repeat:  safe

DELETE FROM kalends_raw.{{ partition }} WHERE ({% include 'day.jinja' %}) = ANY($1::date[])
