-- Opens the log entry of a run, in the transaction of its first month: a run that changes nothing leaves none.
--
-- Reads:   nothing
-- Writes:  kalends.run
-- Params:  $1 text moment of the production snapshot
-- Repeat:  no; each time is another run

INSERT INTO kalends.run (production_as_of) VALUES ($1) RETURNING run
