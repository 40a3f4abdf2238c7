//! A Citus cluster as the warehouse: all that holds on one server holds there, and what only a cluster can do wrong.

mod adopt;
mod cluster;
mod failures;

use std::fs;

use cluster::{CLUSTER, cluster};

use crate::kit::random::{self, Random};
use crate::kit::{self, World};

/// How many tables of rows are distributed, months among them.
fn distributed(world: &World) -> Vec<String> {
    world.ask_warehouse(
        "SELECT logicalrelid::regclass FROM pg_dist_partition
         WHERE logicalrelid::text LIKE 'kalends_raw.%' AND partmethod = 'h' ORDER BY logicalrelid::text",
    )
}

/// Tables of rows that only the coordinator has.
fn plain(world: &World) -> Vec<String> {
    world.ask_warehouse(
        "SELECT relname FROM pg_class WHERE relnamespace = 'kalends_raw'::regnamespace AND relkind IN ('r', 'p')
         AND oid NOT IN (SELECT logicalrelid FROM pg_dist_partition) ORDER BY 1",
    )
}

/// What was written by whom, of accounts and notes.
fn written(world: &World) -> Vec<String> {
    let tables = world.ask_warehouse(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname IN ('kalends', 'kalends_stats') AND relkind = 'r' AND relname <> 'failure' ORDER BY 1",
    );
    tables
        .iter()
        .flat_map(|table| world.ask_warehouse(&format!("SELECT xmin, t.* FROM {table} AS t ORDER BY t")))
        .collect()
}

/// As [`World::settles_by`], which asks for places of rows, which no cluster has.
fn settles_by(world: &World, command: &str) {
    world.kalends(command).succeeds();
    world.is_exact();
    world.kalends("verify").succeeds().says("equal: production = rows = accounts = files");
    let before = (written(world), world.tree());
    world.kalends("run").succeeds().says("nothing to do: equal to production as of");
    assert_eq!((written(world), world.tree()), before, "a run with nothing to do wrote something");
    assert_eq!(plain(world), [""; 0], "tables of rows that are not distributed");
}

fn settles(world: &World) {
    settles_by(world, "run");
}

#[test]
fn a_year_and_what_happens_to_it_are_exact_on_a_cluster() {
    let Some(cluster) = cluster("a year on a cluster") else { return };
    let world = cluster.world();
    let name = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!("ALTER DATABASE {name} SET kalends.test_source = 'on'"));
    for month in 1..=12 {
        world.kalends_with(&format!("simulate 2023 {month}"), &[("RANDOM_MAIN_CONTROLLER", "1")]).succeeds();
    }
    settles(&world);
    assert_eq!(distributed(&world).len(), 13, "the table of rows and its months");
    for edit in [
        "INSERT INTO entity VALUES ('2023-02-03 04:05:06', 7), ('2024-01-01', NULL), ('2024-01-01', NULL)",
        "UPDATE entity SET value = value + 1 WHERE created_at >= '2023-05-05' AND created_at < '2023-05-06'",
        "DELETE FROM entity WHERE created_at >= '2023-07-01' AND created_at < '2023-07-02'",
        "DELETE FROM entity WHERE created_at >= '2023-03-01' AND created_at < '2023-04-01';
         INSERT INTO entity SELECT '2023-03-01'::timestamp + i * interval '1 hour', i FROM generate_series(0, 700) i",
    ] {
        world.production_sql(edit);
        world.kalends("verify").fails_with(3);
        settles(&world);
    }
    world.production_sql("DELETE FROM entity WHERE created_at >= '2023-03-01' AND created_at < '2023-04-01'");
    world.kalends("run").fails_with(4).says("kalends run --accept-loss");
    settles_by(&world, "run --accept-loss");
}

#[test]
fn the_account_statement_is_aggregated_in_the_shards() {
    let Some(cluster) = cluster("where a cluster aggregates") else { return };
    let world = cluster.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    settles(&world);
    // What the nodes were asked for while months were proven and rows verified: sums of hashes by day, never the rows.
    let name = world.warehouse_url.rsplit('/').next().unwrap();
    let asked = fs::read_to_string(cluster.log(1)).unwrap() + &fs::read_to_string(cluster.log(2)).unwrap();
    let hashing: Vec<&str> = asked.lines().filter(|line| line.contains("hashint4extended")).collect();
    assert!(!hashing.is_empty(), "no node was asked for hashes in {name}");
    for statement in hashing {
        assert!(statement.contains("sum(") && statement.contains("GROUP BY"), "sends rows: {statement}");
    }
    let text = include_str!("../../sql/accounts/days.sql");
    let named = |name: &str| kalends::sql::Ident::new(name).unwrap();
    let (schema, table) = (named("kalends_raw"), named("entity_2024_01"));
    let explained = |more: &[(&str, &dyn kalends::sql::Filling)]| {
        let names = [&[("schema", &schema as &dyn kalends::sql::Filling), ("table", &table)], more].concat();
        let statement = kit::of_default_table(text.to_string(), &names);
        world.ask_warehouse(&format!("EXPLAIN (COSTS off) {statement}")).join("\n")
    };
    let plan = explained(&[("in_shards", &true)]);
    let (above, below) = plan.split_once("Custom Scan (Citus Adaptive)").unwrap();
    assert!(above.contains("HashAggregate") && below.contains("Aggregate") && !plan.contains("Subplan"), "{plan}");
    assert!(explained(&[]).contains("Distributed Subplan"), "the statement of one server would do as well");
}

#[test]
fn random_histories_are_exact_on_a_cluster() {
    let Some(cluster) = cluster("random histories on a cluster") else { return };
    let world = cluster.world();
    let mut random = Random::new(random::seed("histories on a cluster"));
    for _ in 0..8 {
        for _ in 0..=random.below(3) {
            let (day, value) = (random.below(90), random.below(50));
            let day = format!("(DATE '2024-01-01' + {day})");
            let sql = match random.below(5) {
                0 => format!("DELETE FROM entity WHERE created_at::date = {day}"),
                1 => format!("UPDATE entity SET value = {value} WHERE created_at::date >= {day}"),
                2 => format!("UPDATE entity SET created_at = created_at + interval '1 day' WHERE value = {value}"),
                _ => format!(
                    "INSERT INTO entity
                     SELECT {day} + i * interval '97 minutes', i % 7 FROM generate_series(0, {value}) i"
                ),
            };
            eprintln!("{sql}");
            world.production_sql(&sql);
        }
        settles_by(&world, "run --accept-loss");
    }
}

const ENTITIES: &str = r#"
[[entity]]
name = "sales"
table = "public.sales"
time = "at"
time_zone = "Europe/Paris"
measures = ["amount", "share"]
dimensions = ["seen", "born"]
levels = ["hour", "day", "week", "month", "quarter", "year"]

[[entity]]
name = "visits"
table = "public.visits"
time = "day"
measures = ["number"]
"#;

#[test]
fn dimensions_hours_and_zones_are_as_on_one_server() {
    let Some(cluster) = cluster("dimensions, hours and zones on a cluster") else { return };
    let world = cluster.world();
    world.production_sql(
        "CREATE TABLE sales (at timestamptz, amount numeric, share double precision, seen timestamptz, born date);
         INSERT INTO sales SELECT '2024-03-30 20:00+00'::timestamptz + i * interval '37 minutes', i / 3.0, i / 7.0,
                '2024-01-01 00:00+00'::timestamptz + i % 3 * interval '9 hours', DATE '2000-02-01' + i % 2
         FROM generate_series(0, 300) i;
         CREATE TABLE visits (day date, number bigint);
         INSERT INTO visits SELECT DATE '2023-12-30' + i % 40, i FROM generate_series(0, 300) i",
    );
    for table in ["sales", "visits"] {
        world.grant_table("public", table);
    }
    // The same on one server: what files say must not depend on where it was computed.
    let exports = world.exports.with_extension("plain").display().to_string();
    let plain_url = world.production_url.replace(":5432/", ":5433/").replace("kalends@", &format!("{}@", kit::WRITER));
    let on_one = [("KALENDS_WAREHOUSE_URL", plain_url.as_str()), ("KALENDS_EXPORTS", exports.as_str())];
    let equal = || {
        world.settings(ENTITIES);
        world.kalends_with("run --accept-loss", &on_one).succeeds();
        world.settings(format!("{CLUSTER}{ENTITIES}"));
        world.kalends("run --accept-loss").succeeds();
        world.kalends("verify").succeeds().says("equal");
        world.kalends("run").succeeds().says("nothing to do");
        let mut compared = std::process::Command::new("diff");
        compared.args(["-r", "-x", "_manifest.json", "-x", ".kalends_index"]).arg(&exports).arg(&world.exports);
        let compared = compared.output().unwrap();
        assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stdout));
        assert_eq!(plain(&world), [""; 0]);
    };
    equal();
    world.production_sql(
        "DELETE FROM sales WHERE born = '2000-02-02' AND at < '2024-04-01'; UPDATE visits SET number = 1",
    );
    equal();
}

#[test]
fn rows_are_distributed_again_after_a_rebuild_and_gone_once_forgotten() {
    let Some(cluster) = cluster("rebuild and forget on a cluster") else { return };
    let world = cluster.world();
    world.production_sql("ALTER TABLE entity ADD kind text DEFAULT 'a'");
    world.production("created_at | value\n 2024-01-02 | 5");
    world.production_sql("INSERT INTO entity VALUES ('2024-02-03', 4, 'b')");
    settles(&world);
    let entity = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(format!("{CLUSTER}{entity}dimensions = [\"kind\"]\n"));
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    assert_eq!((distributed(&world).len(), plain(&world)), (3, Vec::new()), "after a rebuild");

    world.warehouse_sql("DELETE FROM kalends_raw.entity WHERE value = 4");
    world.kalends("verify").fails_with(3);
    world.kalends("verify --repair").succeeds();
    world.kalends("verify").succeeds();

    world.kalends("forget entity --yes").succeeds();
    assert_eq!((distributed(&world).len(), plain(&world)), (0, Vec::new()), "after forget");
    let name = world.warehouse_url.rsplit('/').next().unwrap();
    let shards =
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'kalends_raw'::regnamespace AND relkind IN ('r', 'p')";
    for server in [1, 2] {
        assert_eq!(kit::ask(&cluster.url(server, "kalends", name), shards), ["0"], "shards of node {server}");
    }
}

#[test]
fn an_existing_warehouse_is_spread_by_one_command() {
    let Some(cluster) = cluster("spreading a warehouse") else { return };
    let world = cluster.unsettled();
    world.production_sql(
        "INSERT INTO entity SELECT '2024-01-01'::timestamp + i * interval '1 hour', i FROM generate_series(0, 2000) i",
    );
    world.kalends("check").succeeds().says("its database has the extension citus");
    world.kalends("run").succeeds();
    world.kalends("spread").fails_with(2).says("cluster = \"citus\"");
    let before = written(&world);

    world.settings(CLUSTER);
    world.kalends("run").fails_with(4).says("not distributed").says("kalends spread");
    world.kalends("check").fails_with(4).says("kalends spread");
    world.kalends("spread").fails_with(4).says("entity: 2,001 rows of 3 months, about ").says("kalends spread --yes");
    assert_eq!((written(&world), distributed(&world)), (before, Vec::new()), "a question changed something");

    world.kalends("spread --yes").succeeds().says("distributing entity").says("over 2 nodes, proven there, in ");
    let local = "SELECT coalesce(sum(pg_relation_size(relid)), 0) FROM pg_partition_tree('kalends_raw.entity')";
    assert_eq!(world.ask_warehouse(local), ["0"], "the coordinator still stores rows");
    settles(&world);
    world.kalends("spread --yes").succeeds().says("nothing to do");

    world.no_settings();
    world.kalends("run").fails_with(4).says("distributed over a Citus cluster").says("cluster = \"citus\"");
}

#[test]
fn rows_that_are_not_those_that_were_settled_are_not_spread() {
    let Some(cluster) = cluster("spreading edited rows") else { return };
    let world = cluster.unsettled();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 6");
    world.kalends("run").succeeds();
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = 7 WHERE value = 6");
    world.settings(CLUSTER);
    world.kalends("spread --yes").fails_with(4).says("2024-01-03").says("kalends verify --repair");
    assert_eq!(distributed(&world), [""; 0]);
    world.no_settings();
    world.kalends("verify --repair").succeeds();
    world.settings(CLUSTER);
    world.kalends("spread --yes").succeeds();
    settles(&world);
}

#[test]
fn check_names_nodes_that_cannot_take_part() {
    let Some(cluster) = cluster("checking nodes") else { return };
    let world = cluster.world();
    world.kalends("check").succeeds().says(":9701 answers");
    cluster.down(2);
    world.kalends("check").fails_with(4).says(":9702 of the cluster does not answer");
    cluster.up(2);
    world.kalends("check").succeeds();
}

/// What several nodes change together is prepared on each before it is committed. Citus does not leave a server without
/// that, see its `AdjustMaxPreparedTransactions`, so `check` need not ask for it.
#[test]
fn a_node_prepares_transactions_although_its_settings_say_none() {
    let Some(cluster) = cluster("a node without prepared transactions") else { return };
    let settings = cluster.folder.join("2/postgresql.auto.conf");
    let restart = |text: &str| {
        fs::write(&settings, text).unwrap();
        cluster.down(2);
        cluster.up(2);
    };
    restart("max_prepared_transactions = 0\n");
    let world = cluster.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-03 | 6");
    settles(&world);
    let set = "SELECT setting::int > 0 FROM pg_settings WHERE name = 'max_prepared_transactions'";
    assert_eq!(kit::ask(&cluster.url(2, "kalends", "postgres"), set), ["t"]);
    restart("");
}

#[test]
fn one_server_is_not_taken_for_a_cluster() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(CLUSTER);
    world.kalends("run").fails_with(4).says("has no extension citus").says("remove cluster from [warehouse]");
    world.kalends("check").fails_with(4).says("has no extension citus");
    world.settings("[warehouse]\ncluster = \"citrus\"\n");
    world.kalends("check").fails_with(2).says("cluster knows no \"citrus\"").says("Did you mean \"citus\"?");
}
