-- Notes what is left as it was settled.
--
-- Reads:   nothing
-- Writes:  kalends.held
-- Params:  $1 text entity; of each unit: $2 text[] level, $3 date[] first day, $4 text[] kind, $5 text[] reason,
--          $6 bigint[] rows before, $7 bigint[] rows now, $8 bigint[] since, in microseconds from 1970,
--          $9 text[] digest
-- Repeat:  no; after the entity's notes were removed, in the same transaction

INSERT INTO kalends.held (entity, level, period, kind, reason, rows_before, rows_now, since, digest)
SELECT
    $1::text,
    unit.level,
    unit.period,
    unit.kind,
    unit.reason,
    unit.rows_before,
    unit.rows_now,
    timestamptz 'epoch' + unit.since * interval '1 microsecond',
    unit.digest
FROM unnest(
    $2::text[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[]
) AS unit (level, period, kind, reason, rows_before, rows_now, since, digest)
