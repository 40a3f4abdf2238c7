-- The nodes of a Citus cluster, and whether each answers. Nodes that do not are listed with what was said instead.
--
-- Reads:   pg_dist_node
-- Writes:  nothing
-- Params:  none
-- Repeat:  safe

SELECT
    format('%s:%s', node.nodename, node.nodeport) AS name,
    node.isactive AS active,
    coalesce(answer.success, false) AS answers,
    coalesce(answer.result, '') AS said
FROM pg_dist_node AS node
LEFT JOIN run_command_on_all_nodes('SELECT 1') AS answer
    ON node.nodeid = answer.nodeid
WHERE node.noderole = 'primary' AND node.shouldhaveshards
ORDER BY node.nodeid
