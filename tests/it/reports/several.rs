//! Of several entities each line says whose it is.

use crate::kit::World;

fn settings(world: &World, names: &[&str]) {
    let entity =
        |name: &&str| format!("[[entity]]\nname = {name:?}\ntable = {name:?}\ntime = \"at\"\nmeasures = [\"n\"]\n");
    let text: String = names.iter().map(entity).collect();
    std::fs::write(world.folder().join("kalends.toml"), text).unwrap();
}

fn two() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE orders (at timestamp, n integer); CREATE TABLE visits (at timestamp, n integer);
         INSERT INTO orders VALUES ('2024-01-02', 1), ('2024-02-02', 2);
         INSERT INTO visits VALUES ('2024-01-03', 3), ('2024-03-03', 4)",
    );
    settings(&world, &["orders", "visits"]);
    world
}

/// The lines of a text that begin with this word.
fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(word)).collect()
}

/// A line without its final words, such as how long it took.
fn head(line: &str, width: usize) -> &str {
    line.get(..width).unwrap_or(line).trim_end()
}

#[test]
fn a_run_names_the_entity_in_each_line() {
    let world = two();
    let ran = world.kalends("run");
    let settled: Vec<&str> = lines(&ran.succeeds().stdout, "settled").into_iter().map(|line| head(line, 57)).collect();
    assert_eq!(
        settled,
        ["settled     orders: 2 days (2 new), 2 months", "settled     visits: 2 days (2 new), 2 months"]
    );
    let surveyed = lines(&ran.stdout, "surveyed").into_iter().map(|line| head(line, 57)).collect::<Vec<_>>();
    assert_eq!(surveyed, ["surveyed    2 rows of orders, 2 days", "surveyed    2 rows of visits, 2 days"]);
    assert_eq!(lines(&ran.stdout, "production  orders: 4 rows read").len(), 1, "{}", ran.stdout);
    let widths: Vec<usize> = lines(&ran.stdout, "s").iter().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{}", ran.stdout);
    let newest = format!(
        "newest      {}/year=2024/month=3/day=3/visits_stats_daily_2024_3_3.csv, view kalends_stats.visits_stats_daily",
        world.exports.display()
    );
    assert_eq!(ran.stdout.lines().last(), Some(newest.as_str()));
    assert!(!world.kalends("run").succeeds().stdout.contains("newest "), "nothing was written");
}

#[test]
fn what_is_held_failed_and_settled_last_is_named() {
    let world = two();
    world.kalends("run").succeeds();
    world.production_sql("DELETE FROM orders WHERE n = 2; UPDATE visits SET n = 5 WHERE n = 4");
    let ran = world.kalends("run");
    ran.fails_with(4)
        .says("held        orders: 2024-02: none of 1 row is left\n            to accept this: kalends run");
    let status = world.kalends("status");
    status
        .says("\nheld        orders: 2024-02: none of 1 row is left\n")
        .says("\nfailed      orders: ")
        .says("\nlast run    visits: ");
    let plan = world.kalends("plan");
    plan.says("held        orders: 2024-02: none of 1 row is left");
    let repair = world.kalends("verify --repair");
    repair.fails_with(4).says("held        orders: 2024-02: none of 1 row is left");

    settings(&world, &["orders", "visits", "nothing"]);
    world.kalends("run").fails_with(4).says("failed      nothing: production has no table \"public.nothing\"");
}

#[test]
fn one_entity_is_not_named_again_and_again() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    let ran = world.kalends("run");
    assert!(ran.succeeds().stdout.contains("\nsettled     1 day (1 new), 1 month"), "{}", ran.stdout);
    world.kalends("status").succeeds().says("\nlast run    2");
}
