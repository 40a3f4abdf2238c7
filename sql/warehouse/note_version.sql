-- Notes, in the migration's own transaction, that the schemas have this version.
--
-- Reads:   nothing
-- Writes:  kalends.state
-- Params:  $1 integer version
-- Repeat:  safe

UPDATE kalends.state SET schema_version = $1
