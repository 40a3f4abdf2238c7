-- Notes the files that were just published.
--
-- Reads:   nothing
-- Writes:  kalends.file
-- Params:  $1 text[] paths, $2 text[] entities, $3 text[] levels, $4 text[] periods, $5 bigint[] rows accounted for,
--          $6 bigint[] bytes, $7 text[] SHA-256 in hexadecimal digits
-- Repeat:  safe

INSERT INTO kalends.file AS stored (path, entity, level, period, entity_rows, bytes, sha256)
SELECT path, entity, level, period, entity_rows, bytes, sha256
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
    AS published (path, entity, level, period, entity_rows, bytes, sha256)
ON CONFLICT (path) DO UPDATE SET
    entity = excluded.entity,
    level = excluded.level,
    period = excluded.period,
    entity_rows = excluded.entity_rows,
    bytes = excluded.bytes,
    sha256 = excluded.sha256,
    published_at = excluded.published_at
