-- Removes the notes of the files that were just removed.
--
-- Reads:   nothing
-- Writes:  kalends.file
-- Params:  $1 text[] paths
-- Repeat:  safe

DELETE FROM kalends.file WHERE path = ANY($1::text[])
