-- Fills the table of a sample with some of an entity's rows, whichever are read first.
--
-- Reads:   the entity's table of rows
-- Writes:  kalends_raw.<table>
-- Params:  $1 bigint how many rows
-- Repeat:  no; in a transaction that is rolled back

INSERT INTO kalends_raw.{{ table }} SELECT * FROM kalends_raw.{{ rows }} LIMIT $1::bigint
