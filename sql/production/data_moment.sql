-- As of which moment the data of a standby are: when the last transaction was committed that it has replayed, or the
-- last checkpoint was begun, if that was later. A standby whose replay stands still has a clock that goes on.
--
-- Asked before the snapshot is taken, which then holds at least as much.
--
-- Reads:   pg_last_xact_replay_timestamp(), pg_control_checkpoint()
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    to_char(data.moment AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS as_of,
    (extract(epoch FROM data.moment) * 1000000)::bigint AS as_of_us
FROM (
    SELECT greatest(pg_last_xact_replay_timestamp(), checkpoint.checkpoint_time) AS moment
    FROM pg_control_checkpoint() AS checkpoint
) AS data
WHERE pg_is_in_recovery()
