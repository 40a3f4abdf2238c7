-- Whether nothing of an entity was settled yet, as of when its recent days are proven, the first day that had not ended
-- then, and what was noted of production's counters.
--
-- Reads:   kalends.freshness, kalends.counted
-- Writes:  nothing
-- Params:  $1 text entity, $2 text its time zone
-- Repeat:  safe

SELECT
    freshness.settled_at IS NULL AS is_unsettled,
    freshness.whole,
    (extract(epoch FROM freshness.proven_at) * 1000000)::bigint AS proven_us,
    kalends.open_from(freshness.proven_at, $2::text) AS open_from,
    freshness.recent_from,
    counted.noted::text AS noted
FROM kalends.freshness AS freshness
LEFT JOIN kalends.counted AS counted ON freshness.entity = counted.entity
WHERE freshness.entity = $1::text
