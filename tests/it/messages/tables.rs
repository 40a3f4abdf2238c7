//! A table or a column that is not what the settings say.

use super::{as_role, golden, refuses};
use crate::kit::World;

#[test]
fn what_is_misspelt_in_an_entity_gets_the_nearest_name() {
    let world = World::new();
    let settings = |table: &str, measure: &str| {
        let text = format!(
            "[[entity]]\nname = \"e\"\ntable = \"{table}\"\ntime = \"created_at\"\nmeasures = [\"{measure}\"]\n"
        );
        world.settings(text);
    };
    settings("entiyt", "value");
    refuses(&world, "run", &[], 4, "table_misspelt");
    world.production_sql("CREATE SCHEMA shop; CREATE TABLE shop.orders (created_at timestamp, value integer)");
    settings("orders", "value");
    refuses(&world, "run", &[], 4, "table_of_another_schema");
    settings("of_another_name", "value");
    refuses(&world, "run", &[], 4, "table_of_another_name");
    settings("entity", "valeu");
    refuses(&world, "run", &[], 4, "column_misspelt");
    world.production_sql("ALTER TABLE entity ALTER created_at TYPE timestamptz");
    let zone = "[[entity]]\nname = \"e\"\ntable = \"entity\"\ntime = \"created_at\"\n\ntime_zone = \"Europe/Berln\"\nmeasures = [\"value\"]\n";
    world.settings(zone);
    golden("zone_misspelt", &world.kalends("run").fails_with(4).stderr);
}

#[test]
fn a_column_that_is_missing() {
    let world = World::with_two_days();
    world.production_sql("ALTER TABLE entity RENAME created_at TO created");
    refuses(&world, "run", &[], 4, "column_time_missing");
    world.production_sql("ALTER TABLE entity RENAME created TO created_at; ALTER TABLE entity DROP COLUMN value");
    refuses(&world, "run", &[], 4, "column_value_missing");
}

#[test]
fn a_column_of_another_type() {
    let world = World::with_two_days();
    world.production_sql("ALTER TABLE entity ALTER value TYPE bigint");
    refuses(&world, "run", &[], 4, "column_value_bigint");
    world.production_sql("ALTER TABLE entity ALTER value TYPE integer, ALTER created_at TYPE timestamptz");
    refuses(&world, "run", &[], 4, "column_time_with_zone");
}

#[test]
fn a_table_that_is_no_table() {
    let world = World::with_two_days();
    world.production_sql("ALTER TABLE entity RENAME TO entities; CREATE VIEW entity AS SELECT * FROM entities");
    refuses(&world, "run", &[], 4, "table_is_a_view");
    world.production_sql("DROP VIEW entity; CREATE MATERIALIZED VIEW entity AS SELECT * FROM entities");
    refuses(&world, "run", &[], 4, "table_is_a_materialized_view");
    world.production_sql("DROP MATERIALIZED VIEW entity; CREATE SEQUENCE entity");
    refuses(&world, "run", &[], 4, "table_is_a_sequence");
}

#[test]
fn rows_that_are_hidden_from_the_role() {
    let world = World::with_two_days();
    let url = as_role(&world, "stranger");
    world.production_sql(
        "GRANT SELECT ON entity TO stranger;
         CREATE POLICY large_ones ON entity USING (value > 5);
         ALTER TABLE entity ENABLE ROW LEVEL SECURITY",
    );
    refuses(&world, "run", &[("KALENDS_PRODUCTION_URL", &url)], 4, "row_level_security");
    world.production_sql("ALTER TABLE entity DISABLE ROW LEVEL SECURITY");
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &url)]).succeeds().says("nothing to do");
}
