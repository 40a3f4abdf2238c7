//! A warehouse that 0.1.0 left behind, whose checksums are of its form: the next run writes today's, and nothing else.

use kalends::calendar::Level;
use kalends::entity::{Model, Split};

use super::DAYS_OF_0_1_0;
use crate::kit::{self, World};

const SETTINGS: &str = "
    [[entity]]
    name = \"sales\"
    table = \"sales\"
    time = \"at\"
    time_zone = \"Europe/Paris\"
    measures = [\"amount\", \"weight\"]
    dimensions = [\"town\"]
    levels = [\"hour\", \"day\", \"week\", \"month\", \"quarter\", \"year\"]
    [[entity]]
    name = \"entity\"
    table = \"entity\"
    time = \"created_at\"
    measures = [\"value\"]
";

fn settled() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE sales (at timestamptz, amount numeric, weight double precision, town text);
         INSERT INTO sales VALUES
             ('2024-01-05 10:00Z', 100, 1.5, 'Lyon'), ('2024-01-05 10:30Z', -100, 0, 'Paris'),
             ('2024-02-01 08:00Z', 7.25, 'NaN', NULL), ('2024-12-31 23:30Z', NULL, 2, ''),
             ('2024-03-01 08:00Z', 1, 1, 'Lyon'), ('2024-03-02 08:00Z', 2, 2, 'Lyon');
         INSERT INTO entity VALUES ('2024-01-05', 1), ('2024-01-05 12:00', NULL), ('2025-06-30 23:59:59', -7)",
    );
    world.settings(SETTINGS);
    world.kalends("run").succeeds();
    world
}

/// Makes checksums and definitions what 0.1.0 made of the same rows.
fn age(world: &World) {
    for definition in world.ask_warehouse("SELECT definition FROM kalends.entity") {
        let model: Model = serde_json::from_str(&definition).unwrap();
        let days = model.accounts(Level::Day, Split::Whole).unwrap().quoted();
        let accounts = kit::of_table(DAYS_OF_0_1_0, &model, "kalends_raw", model.rows().name());
        world.warehouse_sql(&format!(
            "SET TimeZone = 'UTC';
             UPDATE kalends_stats.{days} AS kept SET hash_a = aged.hash_a::numeric, hash_b = aged.hash_b::numeric
             FROM ({accounts}) AS aged WHERE aged.day = kept.day"
        ));
    }
    world.warehouse_sql("UPDATE kalends.entity SET definition = definition - 'checksum'");
}

fn hashes(world: &World) -> Vec<String> {
    world.ask_warehouse(
        "SELECT day, hash_a, hash_b FROM kalends_stats.sales_day UNION ALL
         SELECT day, hash_a, hash_b FROM kalends_stats.entity_day ORDER BY 1, 2",
    )
}

/// The figures of all accounts, and the rows with the transactions that wrote them.
fn figures(world: &World) -> Vec<String> {
    let tables = world.ask_warehouse(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname IN ('kalends_raw', 'kalends_stats') AND relkind = 'r' ORDER BY 1",
    );
    let all = tables.iter().flat_map(|table| {
        let written = if table.starts_with("kalends_raw") { "xmin::text, " } else { "" };
        world.ask_warehouse(&format!(
            "SELECT '{table}', {written} to_jsonb(t) - '{{hash_a,hash_b}}'::text[] FROM {table} AS t ORDER BY t::text"
        ))
    });
    all.collect()
}

const NOTED: &str = "SELECT count(*) FROM kalends.restatement";

#[test]
fn checksums_of_0_1_0_are_renewed_and_nothing_else_is() {
    let world = settled();
    let before = (hashes(&world), figures(&world), world.tree());
    let is_as_before = || {
        assert_eq!((hashes(&world), figures(&world), world.tree()), before);
        assert_eq!(world.ask_warehouse(NOTED), ["0"]);
        assert_eq!(world.ask_warehouse("SELECT DISTINCT definition->'checksum' FROM kalends.entity"), ["2"]);
        let tuples = world.tuples();
        world.kalends("run").succeeds().says("nothing to do");
        assert_eq!(world.tuples(), tuples);
    };
    age(&world);
    assert!(hashes(&world).iter().zip(&before.0).all(|(aged, fresh)| aged != fresh));
    world.kalends("verify").succeeds();
    let plan = world.kalends("plan --json").succeeds().json();
    assert_eq!([0, 1].map(|at| plan["entities"][at]["days"].clone()), [serde_json::json!([]), serde_json::json!([])]);
    let ran = world.kalends("run --json").succeeds().json();
    for (at, days) in [(0, 5), (1, 2)] {
        let one = &ran["entities"][at];
        assert_eq!((&one["renewed_checksums"], &one["loaded_rows"]), (&days.into(), &0.into()), "{one}");
        assert_eq!(one["settled_days"], serde_json::json!({}));
    }
    is_as_before();
    // Killed after some months: these have the new form, and the note has not.
    age(&world);
    let (day, fresh) = (before.0[0].split('|').next().unwrap(), before.0[0].split('|').collect::<Vec<_>>());
    world.warehouse_sql(&format!(
        "UPDATE kalends_stats.sales_day SET hash_a = {}, hash_b = {} WHERE day = '{day}'",
        fresh[1], fresh[2]
    ));
    world.kalends("run").succeeds().says("checksums   sales: 5 days renewed in the form of this version; figures stay");
    is_as_before();
    // What was looked at is noted as by any other run.
    age(&world);
    let recent = "measures = [\"value\"]\nrecent = \"1 day\"\nprove_all_every = \"1 year\"";
    world.settings(SETTINGS.replace("measures = [\"value\"]", recent));
    world.kalends("run").succeeds();
    assert_eq!(world.ask_warehouse("SELECT count(*) > 0 FROM kalends.looked WHERE entity = 'entity'"), ["t"]);
}

#[test]
fn checksums_of_0_1_0_are_renewed_beside_days_that_changed() {
    let world = settled();
    age(&world);
    world.production_sql("INSERT INTO sales VALUES ('2024-03-01 09:00Z', 3, 3, 'Lyon')");
    let ran = world.kalends("run --json").succeeds().json();
    let one = &ran["entities"][0];
    assert_eq!(
        (&one["renewed_checksums"], &one["settled_days"]),
        (&4.into(), &serde_json::json!({"grown": 1})),
        "{one}"
    );
    let status = world.kalends("status --json").succeeds().json();
    assert_eq!(status["last_run"]["days"], 1);
    world.kalends("verify --exact").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
    // What made all days again is no reason for a repair to fail either.
    age(&world);
    world.production_sql("DELETE FROM sales WHERE amount = 3");
    world.kalends("verify --repair").succeeds();
    world.kalends("verify --exact").succeeds();
}

#[test]
fn what_the_checksums_of_0_1_0_did_not_see_is_loaded_when_they_are_renewed() {
    let world = settled();
    age(&world);
    world.production_sql("UPDATE sales SET amount = -amount WHERE at < '2024-01-06'");
    world.kalends("run").succeeds();
    let lines = world.ask_warehouse("SELECT amount FROM kalends_raw.sales WHERE at < '2024-01-06' ORDER BY town");
    assert_eq!(lines, ["-100", "100"]);
    let day = "year=2024/month=1/day=5/sales_stats_daily_2024_1_5.csv";
    let said = String::from_utf8(world.files()[day].clone()).unwrap();
    assert!(said.contains(",Lyon,-100,"), "{said}");
    world.kalends("verify --exact").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn checksums_of_days_that_are_held_are_renewed_from_the_rows_that_were_settled() {
    let world = settled();
    let before = hashes(&world);
    age(&world);
    world.production_sql("CREATE TABLE lost AS SELECT * FROM sales; DELETE FROM sales WHERE at < '2024-02-02'");
    world.kalends("run").fails_with(4).says("accept-loss");
    assert_eq!(hashes(&world), before);
    world.production_sql("TRUNCATE sales; INSERT INTO sales SELECT * FROM lost");
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    assert_eq!((hashes(&world), world.ask_warehouse(NOTED)), (before, vec!["0".to_string()]));
}
