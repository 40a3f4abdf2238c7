-- Attaches the table of a new month to the table of rows. Readers of other months do not have to wait.
--
-- Reads:   kalends_raw.<partition>, once, to check that its rows are the month's
-- Writes:  the entity's table of rows
-- Params:  none
-- Repeat:  once a month

ALTER TABLE kalends_raw.{{ rows }} ATTACH PARTITION kalends_raw.{{ partition }} FOR VALUES FROM ({{ from }}) TO ({{ until }})
