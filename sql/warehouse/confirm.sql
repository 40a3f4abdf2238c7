-- Confirms that an entity as a whole is still equal to production, as of a later moment. Sets a sequence, so no tuple
-- changes. Does not wait for the disk: if a power cut loses the value, the figures seem older than they are, until the
-- next run.
--
-- Reads:   kalends.entity, kalends.state
-- Writes:  the entity's sequence kalends.confirmed_N
-- Params:  $1 text entity, $2 bigint generation that was compared with, $3 bigint moment in microseconds since 1970 UTC
-- Repeat:  safe; under the warehouse's lock, so that nothing is settled meanwhile

SELECT
    setval(
        format('kalends.confirmed_%s', entity.number)::regclass,
        ($3::bigint << 11) | (entity.settlement & 2047)
    ),
    set_config('synchronous_commit', 'off', true)
FROM kalends.entity AS entity
INNER JOIN kalends.state AS state ON state.generation = $2::bigint
WHERE
    entity.name = $1::text AND entity.whole
    -- A clock that is further off, by some 142 years, cannot be noted.
    AND $3::bigint BETWEEN -(1::bigint << 52) + 1 AND (1::bigint << 52) - 1
