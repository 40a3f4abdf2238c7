-- The number of an entity, and how often each of its days was restated, and by which run last. One row without a day if
-- none was.
--
-- Reads:   kalends.entity, kalends.restatement
-- Writes:  nothing
-- Params:  $1 text entity
-- Repeat:  safe

SELECT
    entity.number,
    restated.period,
    count(restated.run) AS times,
    coalesce(max(restated.run), 0) AS run
FROM kalends.entity AS entity
LEFT JOIN kalends.restatement AS restated ON entity.name = restated.entity AND restated.level = 'day'
WHERE entity.name = $1
GROUP BY entity.number, restated.period
ORDER BY restated.period
