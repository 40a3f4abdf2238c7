-- Notes which snapshot of production the warehouse was proven equal to. A sequence is set, so no tuple changes.
--
-- Reads:   nothing
-- Writes:  kalends.proven
-- Params:  $1 bigint microseconds since 1970 UTC
-- Repeat:  safe

SELECT setval('kalends.proven', $1)
