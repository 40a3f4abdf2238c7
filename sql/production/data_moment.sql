-- The moment that a standby's data are as of: when the last transaction that it has replayed was committed, or when the
-- last checkpoint was begun, if that was later. If the replay stops, the standby's clock still goes on. And how far it
-- has replayed the log.
--
-- Read before the snapshot is taken, which then contains at least as much.
--
-- Reads:   pg_last_xact_replay_timestamp(), pg_control_checkpoint(), pg_last_wal_replay_lsn()
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    to_char(data.moment AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' AS as_of,
    (extract(epoch FROM data.moment) * 1000000)::bigint AS as_of_us,
    pg_last_wal_replay_lsn() AS position
FROM (
    SELECT greatest(pg_last_xact_replay_timestamp(), checkpoint.checkpoint_time) AS moment
    FROM pg_control_checkpoint() AS checkpoint
) AS data
WHERE pg_is_in_recovery()
