//! The nodes of a warehouse that is a cluster.

use super::findings::Findings;
use crate::error::{Refusal, Result};
use crate::warehouse::{Node, Warehouse};

/// Whether each node answers the role.
pub(super) async fn nodes(findings: &mut Findings, warehouse: &mut Warehouse) {
    let Some(reading) = findings.keep("warehouse", warehouse.read().await) else { return };
    if reading.could_distribute() {
        findings.warning(
            "warehouse",
            "its database has the extension citus, and the settings name no cluster: the coordinator stores all rows",
            "If rows are to be distributed, set cluster = \"citus\" below [warehouse].",
        );
    }
    let Some(Some(nodes)) = findings.keep("warehouse", reading.nodes().await) else { return };
    if nodes.is_empty() {
        let none = Refusal::refused(
            "the cluster has no node that may have shards",
            "On the coordinator, as a superuser: SELECT citus_add_node('HOST', 5432).",
        );
        findings.keep::<()>("warehouse", Err(none));
    }
    for node in nodes {
        if let Some(()) = findings.keep("warehouse", takes_part(&node)) {
            findings.ok("warehouse", format!("node {} answers", node.name));
        }
    }
}

fn takes_part(node: &Node) -> Result<()> {
    let Node { name, active, answers, said } = node;
    match (active, answers) {
        (false, _) => Err(Refusal::refused(
            format!("node {name} of the cluster is not active"),
            "On the coordinator, as a superuser: SELECT citus_activate_node(HOST, PORT).",
        )),
        (true, false) => Err(Refusal::refused(
            format!("node {name} of the cluster does not answer the role of KALENDS_WAREHOUSE_URL: {said}"),
            "Start it, and let the role log in there as on the coordinator.",
        )),
        (true, true) => Ok(()),
    }
}
