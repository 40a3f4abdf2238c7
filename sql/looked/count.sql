-- Notes production's counters, if they are not noted so.
--
-- Reads:   nothing
-- Writes:  kalends.counted
-- Params:  $1 text entity, $2 text counters as JSON
-- Repeat:  safe

INSERT INTO kalends.counted AS counted (entity, noted)
VALUES ($1::text, $2::text::jsonb)
ON CONFLICT (entity) DO UPDATE SET noted = excluded.noted
WHERE counted.noted IS DISTINCT FROM excluded.noted
