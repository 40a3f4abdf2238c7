-- Notes the files that were just published.
--
-- Reads:   nothing
-- Writes:  kalends.file
-- Params:  $1 text[] paths, $2 text[] levels, $3 date[] periods, $4 bigint[] rows accounted for, $5 bigint[] bytes,
--          $6 text[] SHA-256 in hexadecimal digits
-- Repeat:  safe

INSERT INTO kalends.file AS kept (path, level, period, entity_rows, bytes, sha256)
SELECT path, level, period, entity_rows, bytes, sha256
FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::text[])
    AS published (path, level, period, entity_rows, bytes, sha256)
ON CONFLICT (path) DO UPDATE SET
    level = excluded.level,
    period = excluded.period,
    entity_rows = excluded.entity_rows,
    bytes = excluded.bytes,
    sha256 = excluded.sha256,
    published_at = excluded.published_at
