-- Notes that a run failed or was refused.
--
-- Reads:   nothing
-- Writes:  kalends.failure
-- Params:  $1 text command, $2 text entity or NULL, $3 integer exit code, $4 text message
-- Repeat:  no; each time notes another failure

INSERT INTO kalends.failure (command, entity, exit_code, message)
VALUES ($1::text, $2::text, $3::integer, $4::text)
