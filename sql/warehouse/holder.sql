-- Who has locked the warehouse, or a place in an object store.
--
-- Reads:   pg_locks, pg_stat_activity
-- Writes:  nothing
-- Params:  $1 integer the number of the lock: 1 for the warehouse, a negative one for a place
-- Repeat:  safe

SELECT
    format('pid %s, role "%s"', activity.pid, activity.usename)
    || coalesce(', "' || nullif(activity.application_name, '') || '"', '')
    -- The moment is not shown for another role's session.
    || coalesce(', since ' || to_char(activity.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS') || ' UTC', '') AS holder
FROM pg_locks AS lock
INNER JOIN pg_stat_activity AS activity ON lock.pid = activity.pid
WHERE
    lock.locktype = 'advisory' AND lock.granted
    -- The server shows the number without a sign.
    AND lock.classid = 1262570565 AND lock.objid::bigint = ($1::integer + 4294967296) % 4294967296 AND lock.objsubid = 2
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY activity.xact_start, activity.pid
LIMIT 1
