-- The moments of published files that this warehouse has settled itself, each with its last settlement.
--
-- Reads:   kalends.settled
-- Writes:  nothing
-- Params:  $1 text[] entities, $2 text[] moments, as in a manifest
-- Repeat:  safe

SELECT published.entity, settled.settlement
FROM unnest($1::text[], $2::text[]) AS published (entity, as_of)
INNER JOIN kalends.settled AS settled
    ON
        published.entity = settled.entity
        -- As text, because a manifest may contain any text.
        AND published.as_of = to_char(settled.as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'
