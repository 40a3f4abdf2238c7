-- Begins the log entry of a run, in the transaction of its first month, so that a run which changes nothing leaves
-- none. Says whether the entity has a past that it may restate: without one, no month has to look for it.
--
-- The number follows that of the last run, not the column's sequence: after a crash, the sequence of a copied database
-- may be behind numbers that were already used (PostgreSQL 15). Whoever writes has locked the warehouse.
--
-- Reads:   kalends.run, kalends.restatement, the entity's tables of days, months and years
-- Writes:  kalends.run
-- Params:  $1 text moment of the production snapshot
-- Repeat:  no; each time begins another run

INSERT INTO kalends.run (run, production_as_of)
OVERRIDING SYSTEM VALUE
SELECT coalesce(max(run), 0) + 1, $1::text FROM kalends.run
RETURNING
    run,
    EXISTS (SELECT FROM kalends_stats.{{ days }})
    OR EXISTS (SELECT FROM kalends_stats.{{ months }})
    OR EXISTS (SELECT FROM kalends_stats.{{ years }})
    OR EXISTS (SELECT FROM kalends.restatement WHERE entity = {{ name }}) AS has_past
