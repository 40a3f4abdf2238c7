-- Notes which snapshot of production the warehouse was proven equal to. A sequence is set, so no tuple changes. Nobody waits
-- until it is on the disk: should it be lost in a power cut, the figures are taken for older than they are, until the next run.
--
-- Reads:   nothing
-- Writes:  kalends.proven
-- Params:  $1 bigint microseconds since 1970 UTC
-- Repeat:  safe

SELECT setval('kalends.proven', $1), set_config('synchronous_commit', 'off', true)
