-- Creates the table of a new month, not yet attached: creating it as a partition would lock the table of rows against
-- readers.
--
-- Reads:   nothing
-- Writes:  kalends_raw.<partition>
-- Params:  none
-- Repeat:  once a month

CREATE TABLE kalends_raw.{{ partition }} (LIKE kalends_raw.{{ rows }} INCLUDING ALL)
