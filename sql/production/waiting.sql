-- A session that waits for what one of our sessions holds: its lock, or its snapshot.
--
-- Reads:   pg_locks, pg_blocking_pids(), pg_stat_activity
-- Writes:  nothing
-- Params:  $1 integer process of our session
-- Repeat:  safe

-- Not every role may see names and queries of other roles' sessions; a standby's own process has no role.
SELECT
    format('process %s', waits.pid)
    || coalesce(' of role "' || activity.usename || '"', ' (' || activity.backend_type || ')', '') AS waiting
FROM pg_locks AS waits
LEFT JOIN pg_stat_activity AS activity ON waits.pid = activity.pid
WHERE
    NOT waits.granted
    AND (
        $1 = ANY(pg_blocking_pids(waits.pid))
        -- On a standby it is the process that applies the primary's changes, which pg_blocking_pids() does not know.
        OR pg_is_in_recovery() AND EXISTS (
            SELECT FROM pg_locks AS ours
            WHERE
                ours.pid = $1 AND ours.granted AND waits.mode = 'AccessExclusiveLock'
                AND ours.database = waits.database AND ours.relation = waits.relation
        )
    )
ORDER BY waits.pid
LIMIT 1
