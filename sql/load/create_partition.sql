-- The table of a new month, not yet part of the whole: rows copied into it need no look at their bounds, one by one.
--
-- Reads:   nothing
-- Writes:  kalends_raw.<partition>
-- Params:  none
-- Repeat:  once a month

CREATE TABLE kalends_raw.{{ partition }} (LIKE kalends_raw.{{ rows }} INCLUDING ALL)
