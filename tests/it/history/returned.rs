//! What vanished and came back.

use super::{settled, told};

#[test]
fn a_month_that_vanished_and_came_back_is_told_to_have_returned() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE created_at >= '2024-02-01' AND created_at < '2024-03-01'");
    world.settles_by("run --accept-loss");
    world.production_sql("INSERT INTO entity VALUES ('2024-02-29 12:00', 9), ('2024-02-10', 1), ('2026-05-05', 5)");
    world.settles();
    let expected = [
        "3 month 2024-02 0>2: new days null, returned 1",
        "3 day 2024-02-29 0>1: returned 1",
        "2 month 2024-02 1>0: vanished 1",
        "2 day 2024-02-29 1>0: vanished 1",
    ];
    assert_eq!(told(&world, "2024-02"), expected);
    assert_eq!(told(&world, "2026"), Vec::<String>::new(), "what was never settled is not restated");
    let said = world.kalends("history 2024-02-29").succeeds().stdout.clone();
    let lines: Vec<String> = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[1..4], ["2024-02-29 entity: returned", "rows 0 -> 1 +1", "sum_values none -> 9"]);
    let kept = "SELECT before IS NULL, after ->> 'rows' FROM kalends.restatement WHERE run = 3 AND level = 'day'";
    assert_eq!(world.ask_warehouse(kept), ["t|1"]);

    // It goes on as with any other.
    world.production_sql("UPDATE entity SET value = 10 WHERE value = 9");
    world.settles();
    assert_eq!(told(&world, "2024-02-29")[0], "4 day 2024-02-29 1>1: changed 1");
}

#[test]
fn a_year_that_vanished_and_came_back_month_by_month_is_told_once() {
    let world = settled();
    world.production_sql("TRUNCATE entity; INSERT INTO entity VALUES ('2023-01-01', 1)");
    world.settles_by("run --accept-loss");
    // Its months went one after the other; what it said in between is nobody's business.
    assert_eq!(told(&world, "2024")[0], "2 year 2024 7>0: vanished 6");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 5), ('2024-02-29', 8), ('2024-04-04', 4)");
    world.settles();
    let newest: Vec<String> = told(&world, "2024").into_iter().filter(|line| line.starts_with("3 ")).collect();
    let expected = [
        "3 year 2024 0>3: new days null, returned 2",
        "3 month 2024-01 0>1: returned 1",
        "3 day 2024-01-02 0>1: returned 1",
        "3 month 2024-02 0>1: returned 1",
        "3 day 2024-02-29 0>1: returned 1",
    ];
    assert_eq!(newest, expected);
}

#[test]
fn what_vanished_as_a_whole_and_came_back_is_told_to_have_returned() {
    let world = settled();
    world.production_sql("TRUNCATE entity");
    world.settles_by("run --accept-loss");
    world.production_sql("INSERT INTO entity VALUES ('2024-02-29 12:00', 9)");
    world.settles();
    assert_eq!(told(&world, "2024-02-29")[0], "3 day 2024-02-29 0>1: returned 1");
    // As a warehouse of the first version may be: as of when its accounts are is not known.
    world.warehouse_sql("UPDATE kalends.entity SET settled_as_of = NULL");
    world.production_sql("UPDATE entity SET value = 10 WHERE value = 9");
    world.settles();
    assert_eq!(told(&world, "2024-02-29")[0], "4 day 2024-02-29 1>1: changed 1");
}

#[test]
fn a_warehouse_of_the_first_version_tells_its_history_and_is_brought_up_to_date() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.settles_by("run --accept-loss");
    let told_before = told(&world, "");
    // As the first version made it.
    world.warehouse_sql(
        "DROP INDEX kalends.restatement_of_period; ALTER TABLE kalends.restatement DROP COLUMN combinations;
         ALTER TABLE kalends.restatement ALTER COLUMN before SET NOT NULL",
    );
    assert_eq!(told(&world, ""), told_before);
}
