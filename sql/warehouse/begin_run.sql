-- Opens the log entry of a run, in the transaction of its first month: a run that changes nothing leaves none.
--
-- The number follows that of the last run, and not the column's sequence: a crash may set the sequence of a database that
-- was copied back behind numbers that were given (PostgreSQL 15). Whoever writes holds the warehouse alone.
--
-- Reads:   kalends.run
-- Writes:  kalends.run
-- Params:  $1 text moment of the production snapshot
-- Repeat:  no; each time is another run

INSERT INTO kalends.run (run, production_as_of)
OVERRIDING SYSTEM VALUE
SELECT coalesce(max(run), 0) + 1, $1::text FROM kalends.run
RETURNING run
