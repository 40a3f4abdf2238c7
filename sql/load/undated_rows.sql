-- Deletes rows that belong to no day. Kalends never writes such rows.
--
-- Reads:   the entity's table of rows
-- Writes:  the entity's table of rows
-- Params:  none
-- Repeat:  safe

DELETE FROM kalends_raw.{{ rows }} WHERE NOT isfinite({{ time }}) OR {{ time }} < '4713-01-01 BC'
