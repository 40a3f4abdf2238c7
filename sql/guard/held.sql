-- What is left as it was settled, with the reason.
--
-- Reads:   kalends.held
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    entity,
    level,
    period,
    kind,
    reason,
    rows_before,
    rows_now,
    (date_part('epoch', since) * 1000000)::bigint AS since,
    digest
FROM kalends.held
ORDER BY entity COLLATE "C", period, level
