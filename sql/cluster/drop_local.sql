-- Drops the coordinator's own copy of rows that were distributed. It is invisible since then, and only takes space.
--
-- Reads:   nothing
-- Writes:  the entity's table of rows and its months, as the coordinator has stored them
-- Params:  $1 text name of the table of rows
-- Repeat:  safe

SELECT truncate_local_data_after_distributing_table(format('kalends_raw.%I', $1::text)::regclass)
