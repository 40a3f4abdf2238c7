-- Creates the table of a new month, not yet attached, so that copying rows into it does not check their bounds.
--
-- Reads:   nothing
-- Writes:  kalends_raw.<partition>
-- Params:  none
-- Repeat:  once a month

CREATE TABLE kalends_raw.{{ partition }} (LIKE kalends_raw.{{ rows }} INCLUDING ALL)
