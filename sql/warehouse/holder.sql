-- Who has the warehouse.
--
-- Reads:   pg_locks, pg_stat_activity
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT format('process %s of role "%s"', activity.pid, activity.usename) AS holder
FROM pg_locks AS lock
INNER JOIN pg_stat_activity AS activity ON lock.pid = activity.pid
WHERE
    lock.locktype = 'advisory' AND lock.granted
    AND lock.classid = 1262570565 AND lock.objid = 1 AND lock.objsubid = 2
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
