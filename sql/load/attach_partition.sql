-- Attaches the table of a new month to the table of rows. Readers of other months do not have to wait. It is still
-- empty: a row is checked against the bounds as it is written, which takes less than reading all of them once more.
--
-- Reads:   kalends_raw.<partition>, which has no rows
-- Writes:  the entity's table of rows
-- Params:  none
-- Repeat:  once a month

ALTER TABLE kalends_raw.{{ rows }} ATTACH PARTITION kalends_raw.{{ partition }} FOR VALUES FROM ({{ from }}) TO ({{ until }})
