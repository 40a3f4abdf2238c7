-- Begins the log entry of a run, in the transaction of its first month, so that a run which changes nothing leaves
-- none.
--
-- The number follows that of the last run, not the column's sequence: after a crash, the sequence of a copied database
-- may be behind numbers that were already used (PostgreSQL 15). Whoever writes has locked the warehouse.
--
-- Reads:   kalends.run
-- Writes:  kalends.run
-- Params:  $1 text moment of the production snapshot
-- Repeat:  no; each time begins another run

INSERT INTO kalends.run (run, production_as_of)
OVERRIDING SYSTEM VALUE
SELECT coalesce(max(run), 0) + 1, $1::text FROM kalends.run
RETURNING run
