-- The table of the simulated production system: no key, no index, duplicates allowed.
--
-- Reads:   nothing
-- Writes:  <schema>.<table>
-- Params:  none
-- Repeat:  safe; the lock lets one simulation at a time create, delete and insert

SELECT pg_advisory_xact_lock(1262570565, 3);

CREATE TABLE IF NOT EXISTS {{ schema }}.{{ table }} ({{ time }} timestamp, {{ measure }} integer);
