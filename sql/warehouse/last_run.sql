-- The run that settled something last.
--
-- Reads:   kalends.run
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    run,
    production_as_of,
    to_char(settled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS settled_at,
    days,
    rows
FROM kalends.run
ORDER BY run DESC
LIMIT 1
