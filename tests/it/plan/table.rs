//! A plan for people: what moves, from what to what, and nothing else.

use crate::kit::World;

fn settings(world: &World, entities: &[(&str, &str, &str)]) {
    let entity = |(name, measures, more): &(&str, &str, &str)| {
        format!("[[entity]]\nname = {name:?}\ntable = {name:?}\ntime = \"at\"\nmeasures = [{measures}]\n{more}\n")
    };
    std::fs::write(world.folder().join("kalends.toml"), entities.iter().map(entity).collect::<String>()).unwrap();
}

/// The lines between the one that begins so and the next that is not below it.
fn below<'a>(text: &'a str, head: &str) -> Vec<&'a str> {
    text.lines().skip_while(|line| !line.starts_with(head)).skip(1).take_while(|line| line.starts_with("  ")).collect()
}

#[test]
fn what_moves_is_a_table_of_old_new_difference_and_percent() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE orders (at timestamp, amount numeric, items integer);
         CREATE TABLE visits (at timestamp, n integer);
         INSERT INTO orders SELECT '2024-01-02', 1000.50, 1 FROM generate_series(1, 2000);
         INSERT INTO orders VALUES ('2024-02-02', 3, 2);
         INSERT INTO visits VALUES ('2024-01-03', 1)",
    );
    let statistics = "statistics = [\"sum\", \"max\"]";
    settings(&world, &[("orders", "\"amount\", \"items\"", statistics), ("visits", "\"n\"", "")]);
    world.kalends("run").succeeds();
    world.production_sql(
        "INSERT INTO orders VALUES ('2024-01-02 10:00', 2000, NULL); UPDATE visits SET n = NULL WHERE n = 1",
    );
    let plan = world.kalends("plan").succeeds().stdout.clone();
    assert!(plan.lines().all(|line| line.chars().count() <= 100), "{plan}");
    assert_eq!(
        below(&plan, "restate     orders: 3 accounts")[..7],
        [
            "  2024        rows            2,001 ->     2,002      +1  +0.05%",
            "              sum_amount  2,001,003 -> 2,003,003  +2,000  +0.10%",
            "              max_amount    1,000.5 ->     2,000  +999.5  +99.9%",
            "  2024-01     rows            2,000 ->     2,001      +1  +0.05%",
            "              sum_amount  2,001,000 -> 2,003,000  +2,000  +0.10%",
            "              max_amount    1,000.5 ->     2,000  +999.5  +99.9%",
            "  2024-01-02  rows            2,000 ->     2,001      +1  +0.05%",
        ]
    );
    // What has no value any more, and of rows whose number stays none.
    assert_eq!(
        below(&plan, "restate     visits: 3 accounts")[..2],
        ["  2024        sum_n          1 -> none", "              min_n          1 -> none"]
    );
    assert!(plan.contains("\nsettle      orders: 1 day (1 grown)\n"), "{plan}");
    assert!(plan.contains("\nsettle      visits: 1 day (1 changed)\n"), "{plan}");
}

#[test]
fn names_and_numbers_of_any_length_make_no_line_too_long() {
    let world = World::new();
    let name = "n".repeat(58);
    world.production_sql(&format!(
        "CREATE TABLE wide (at timestamp, {name} numeric, b numeric);
         INSERT INTO wide VALUES ('2024-01-02', 12345678901234567890123456789.123, 1)"
    ));
    settings(&world, &[("wide", &format!("\"{name}\", \"b\""), "")]);
    world.kalends("run").succeeds();
    world.production_sql(&format!("UPDATE wide SET {name} = {name} * 1000, b = 2"));
    let plan = world.kalends("plan").succeeds().stdout.clone();
    assert!(plan.lines().all(|line| line.chars().count() <= 100), "{plan}");
    assert!(plan.contains("12,345,678,901,234,567,890,123,456,789,123"), "{plan}");
    let history = {
        world.kalends("run").succeeds();
        world.kalends("history").succeeds().stdout.clone()
    };
    assert!(history.lines().all(|line| line.chars().count() <= 100), "{history}");
}
