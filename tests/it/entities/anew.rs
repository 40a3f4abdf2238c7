//! Settings that ask for other things of a table that was settled: settled anew by itself, whole or not at all.

use std::collections::BTreeMap;

use super::settles;
use crate::kit::{File, World};

const ORDERS: &str = "[[entity]]\nname = \"orders\"\ntable = \"purchase\"\ntime = \"at\"\n";
const YEAR: &str = "year=2024/orders_stats_yearly_2024.csv";

/// A table with two columns to sum, and an entity that was settled with the first of them.
fn settled() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE purchase (at timestamp, amount numeric, quantity integer);
         INSERT INTO purchase VALUES ('2024-01-31', 1.5, 1), ('2024-02-01', 2.5, 2), ('2024-02-03', 4, NULL)",
    );
    world.settings(format!("{ORDERS}measures = [\"amount\"]\n"));
    settles(&world);
    world
}

fn rows(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT xmin || ' ' || o::text FROM kalends_raw.orders o ORDER BY 1")
}

/// All that is kept, but for the trace that a transaction which was rolled back leaves: who last tried to replace a
/// tuple.
fn kept(world: &World) -> (Vec<String>, BTreeMap<String, File>) {
    let without_xmax = |tuple: String| {
        let mut parts: Vec<&str> = tuple.splitn(4, '|').collect();
        parts.remove(2);
        parts.join("|")
    };
    (world.tuples().into_iter().map(without_xmax).collect(), world.tree())
}

#[test]
fn other_statistics_and_levels_are_settled_from_the_rows_that_are_there() {
    let world = settled();
    let before = rows(&world);
    world
        .settings(format!("{ORDERS}measures = [\"amount\"]\nstatistics = [\"count\", \"max\"]\nlevels = [\"year\"]\n"));
    let ran = world.kalends("run");
    ran.succeeds().says(
        "rebuilt     statistic count added, statistic sum removed, statistic min removed, statistic mean removed",
    );
    ran.says("level day removed, level month removed");
    assert_eq!(rows(&world), before, "rows were loaded that are there");
    world.file(YEAR, "year,max_amount,count_amount\n2024,4,3");
    assert_eq!(world.files().len(), 1);
    settles(&world);
    world.settings(format!("{ORDERS}measures = [\"amount\"]\n"));
    world.kalends("run").succeeds().says("level day added, level month added");
    assert_eq!(world.files().len(), 6);
    settles(&world);
}

#[test]
fn another_measure_is_settled_from_production() {
    let world = settled();
    world.settings(format!("{ORDERS}measures = [\"quantity\", \"amount\"]\n"));
    let ran = world.kalends("prepare --json").succeeds().json();
    assert_eq!(ran["settled_anew"], serde_json::json!(["measure \"quantity\" added"]));
    assert_eq!(ran["loaded_rows"], 3);
    settles(&world);
    world.file(
        YEAR,
        "year,sum_quantity,min_quantity,max_quantity,mean_quantity,sum_amount,min_amount,max_amount,mean_amount\n\
         2024,3,1,2,1.500000,8,1.5,4,2.666667",
    );
    world.settings(format!("{ORDERS}measures = [\"amount\", \"quantity\"]\n"));
    world.kalends("run").succeeds().says("rebuilt     measures in another order");
    settles(&world);
    world.production_sql("ALTER TABLE purchase DROP amount");
    world.kalends("run").fails_with(4).says("has no column \"amount\"");
    world.settings(format!("{ORDERS}measures = [\"quantity\"]\n"));
    world.kalends("run").succeeds().says("rebuilt     measure \"amount\" removed");
    settles(&world);
    world.file(YEAR, "year,sum_quantity,min_quantity,max_quantity,mean_quantity\n2024,3,1,2,1.500000");
}

#[test]
fn what_changed_in_production_meanwhile_is_settled_and_noted_as_well() {
    let world = settled();
    world.production_sql(
        "UPDATE purchase SET amount = 7 WHERE at = '2024-01-31'; DELETE FROM purchase WHERE at = '2024-02-01';
         INSERT INTO purchase VALUES ('2023-12-31', 9, 9)",
    );
    world.settings(format!("{ORDERS}measures = [\"amount\"]\nstatistics = [\"sum\"]\n"));
    let ran = world.kalends("prepare --json").succeeds().json();
    assert_eq!(ran["loaded_rows"], 2, "more than the changed days was loaded");
    let restated = "SELECT level, period, cause, before ->> 'sum_amount', after ->> 'sum_amount'
                    FROM kalends.restatement ORDER BY level, period";
    assert_eq!(
        world.ask_warehouse(&format!("SELECT r::text FROM ({restated}) r")),
        [
            "(day,2024-01-31,changed,1.5,7)",
            "(day,2024-02-01,vanished,2.5,)",
            "(month,2024-01-01,,1.5,7)",
            "(month,2024-02-01,,6.5,4)",
            "(year,2024-01-01,,8,11)"
        ]
    );
    settles(&world);
    world.file(YEAR, "year,sum_amount\n2024,11");
}

#[test]
fn rows_of_the_warehouse_that_somebody_changed_are_loaded_again() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_raw.orders SET amount = 99 WHERE at = '2024-02-03'");
    world.settings(format!("{ORDERS}measures = [\"amount\"]\nstatistics = [\"sum\"]\n"));
    world.kalends("run").succeeds();
    world.file(YEAR, "year,sum_amount\n2024,8");
    settles(&world);
}

#[test]
fn a_run_that_cannot_settle_all_anew_leaves_all_as_it_was() {
    let world = settled();
    let before = kept(&world);
    world.settings(format!("{ORDERS}measures = [\"amount\", \"quantity\"]\n"));
    world.warehouse_sql("CREATE VIEW ours AS SELECT * FROM kalends_stats.orders_stats_daily");
    world
        .kalends("run")
        .fails_with(4)
        .says("other objects of the warehouse depend on tables or views of entity \"orders\"");
    assert_eq!(kept(&world), before);
    world.kalends("forget orders --yes").fails_with(4).says("depend on tables or views");
    assert_eq!(kept(&world), before);
    world.warehouse_sql("DROP VIEW ours");
    // The second month cannot be loaded.
    world.warehouse_sql(
        "CREATE FUNCTION full_up() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             IF to_regclass('kalends_raw.orders_2024_02') IS NOT NULL AND NOT EXISTS (
                SELECT FROM pg_inherits WHERE inhrelid = to_regclass('kalends_raw.orders_2024_02')
             ) THEN RAISE 'no room'; END IF;
         END $$;
         CREATE EVENT TRIGGER full_up ON ddl_command_end EXECUTE FUNCTION full_up()",
    );
    let before = kept(&world);
    world.kalends("run").fails_with(1).says("could not settle month 2024-02");
    assert_eq!(kept(&world), before);
    world.warehouse_sql("DROP EVENT TRIGGER full_up");
    settles(&world);
    assert_eq!(world.ask_warehouse("SELECT sum(sum_quantity) FROM kalends_stats.orders_year"), ["3"]);
}

#[test]
fn another_table_time_zone_or_type_is_refused_and_nothing_is_lost() {
    let world = settled();
    let before = (world.tuples(), world.tree());
    world.production_sql(
        "CREATE TABLE other (at timestamp, amount numeric); ALTER TABLE purchase ADD paid_at timestamp",
    );
    for (written, instead, said) in [
        (
            "\"purchase\"",
            "\"other\"",
            "was settled from \"public.purchase\" by \"at\" and is now \"public.other\" by \"at\"",
        ),
        ("\"at\"", "\"paid_at\"", "and is now \"public.purchase\" by \"paid_at\""),
    ] {
        world.settings(format!("{ORDERS}measures = [\"amount\"]\n").replace(written, instead));
        world.kalends("run").fails_with(4).says(said).says("`kalends forget orders --yes`");
        assert_eq!((world.tuples(), world.tree()), before);
    }
    world.production_sql("ALTER TABLE purchase ALTER amount TYPE bigint");
    // Asking for more does not hide that what was asked before is another thing now.
    world.settings(format!("{ORDERS}measures = [\"amount\", \"quantity\"]\n"));
    world
        .kalends("run")
        .fails_with(4)
        .says("column \"amount\" of table \"public.purchase\" is of type bigint, and was settled as numeric");
    assert_eq!((world.tuples(), world.tree()), before);
    world.production_sql("ALTER TABLE purchase ALTER amount TYPE numeric");
    world.kalends("run").succeeds();
}
