-- The runs that failed or were refused, the newest first.
--
-- Reads:   kalends.failure
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS at,
    command,
    entity,
    exit_code,
    message
FROM kalends.failure
ORDER BY failure DESC
