-- Notes which combinations of dimensions changed on restated days.
--
-- By itself, because Citus does not compute texts of distributed rows within an UPDATE.
--
-- Reads:   nothing
-- Writes:  kalends.restatement
-- Params:  $1 bigint run, $2 text entity, $3 date[] days, $4 text[] of each, what changed, as JSON
-- Repeat:  safe

UPDATE kalends.restatement AS restated
SET combinations = listed.combinations::jsonb
FROM unnest($3::date[], $4::text[]) AS listed (day, combinations)
WHERE
    restated.run = $1::bigint AND restated.entity = $2::text AND restated.level = 'day'
    AND restated.period = listed.day
