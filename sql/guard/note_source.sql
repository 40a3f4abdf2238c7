-- Notes which production an entity is settled from, in the transaction that settles.
--
-- Reads:   nothing
-- Writes:  kalends.source
-- Params:  $1 text entity, $2 text system identifier, $3 oid database, $4 pg_lsn position,
--          $5 text moment of the snapshot
-- Repeat:  safe

INSERT INTO kalends.source (entity, system_identifier, database, position, production_as_of)
VALUES ($1::text, $2::text, $3::oid, $4::pg_lsn, $5::text)
ON CONFLICT (entity) DO UPDATE SET
    system_identifier = excluded.system_identifier,
    database = excluded.database,
    position = excluded.position,
    production_as_of = excluded.production_as_of
