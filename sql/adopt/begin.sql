-- Notes that an entity's rows are being taken over, so that this can go on after a crash.
--
-- Reads:   nothing
-- Writes:  kalends.adoption
-- Params:  $1 text entity, $2 text the other tool's table
-- Repeat:  safe

INSERT INTO kalends.adoption AS stored (entity, taken_from) VALUES ($1, $2)
ON CONFLICT (entity) DO UPDATE SET taken_from = excluded.taken_from
WHERE stored.taken_from <> excluded.taken_from
