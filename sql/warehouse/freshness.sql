-- Which snapshot of production the warehouse was proven equal to last, and how long ago by the warehouse's clock.
--
-- Reads:   kalends.freshness
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    to_char(proven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS proven_as_of,
    extract(epoch FROM proven_at)::double precision AS proven_seconds,
    -- Two clocks may differ a little.
    greatest(extract(epoch FROM clock_timestamp() - proven_at), 0)::double precision AS age_seconds
FROM kalends.freshness
WHERE proven_at IS NOT NULL
