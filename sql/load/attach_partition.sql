-- Makes a new month part of the whole. Readers of the other months are not held up.
--
-- Reads:   kalends_raw.<partition>, once, to see that its rows are the month's
-- Writes:  the entity's table of rows
-- Params:  none
-- Repeat:  once a month

ALTER TABLE kalends_raw.{{ rows }} ATTACH PARTITION kalends_raw.{{ partition }} FOR VALUES FROM ({{ from }}) TO ({{ until }})
