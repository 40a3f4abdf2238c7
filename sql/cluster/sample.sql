-- A table like an entity's rows, to see how long it takes to distribute some of them.
--
-- Reads:   nothing
-- Writes:  kalends_raw.<table>
-- Params:  none
-- Repeat:  no; in a transaction that is rolled back

CREATE TABLE kalends_raw.{{ table }} (LIKE kalends_raw.{{ rows }})
