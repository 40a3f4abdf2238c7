//! A production that is not the one that was settled.

use super::{all_of, as_told, kept, settled};
use crate::kit::{World, run_sql};
use crate::own_servers::{OwnServers, Side};

#[test]
fn another_database_with_the_same_table_is_held_where_anything_differs() {
    let world = settled();
    let other = settled();
    let instead = |arguments: &str| world.kalends_with(arguments, &[("KALENDS_PRODUCTION_URL", &other.reader_url)]);
    let (tuples, tree) = (world.tuples(), world.tree());
    instead("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));

    other.production_sql("INSERT INTO entity VALUES ('2024-02-20', 1), ('2025-02-20', 1)");
    let february = all_of(&world, "2024-02");
    instead("run")
        .fails_with(4)
        .says("held        2 months from 2024-02 on: production is another database than the one that was settled")
        .says("to accept this: kalends run --accept-loss\n");
    assert_eq!(all_of(&world, "2024-02"), february);
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|10", "2024-03|10"]);
    // A part of it is no consent to the whole: the next run holds the rest.
    instead("run --accept-loss 2025").fails_with(4);
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|10", "2024-03|10", "2025-02|1"]);
    instead("run").fails_with(4).says("another database");
    instead("run --accept-loss").succeeds();
    instead("run").succeeds().says("nothing to do");
    // From now on the first one is another.
    world.kalends("run").fails_with(4).says("another database");
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|11", "2024-03|10", "2025-02|1"]);
}

#[test]
fn another_cluster_is_held_although_its_database_has_the_same_name_and_number() {
    let (one, other) = (OwnServers::new(), OwnServers::new());
    let (world, elsewhere): (World, World) = (one.world(), other.world());
    // World names are numbered; in a fresh cluster the first database made has the same number whatever it is called.
    let number = "SELECT oid FROM pg_database WHERE datname = current_database()";
    assert_eq!(world.ask_production(number), elsewhere.ask_production(number));
    super::rows(&world, &[("2024-01", 10), ("2024-02", 10)]);
    super::rows(&elsewhere, &[("2024-01", 10), ("2024-02", 11)]);
    world.settles();
    let january_and_february = (all_of(&world, "2024-01"), all_of(&world, "2024-02"));
    let instead = |arguments: &str| world.kalends_with(arguments, &[("KALENDS_PRODUCTION_URL", &elsewhere.reader_url)]);
    instead("run").fails_with(4).says("2024-02").says("production is another database than the one that was settled");
    assert_eq!((all_of(&world, "2024-01"), all_of(&world, "2024-02")), january_and_february);
    world.kalends("run").succeeds().says("nothing to do");
    instead("run --accept-loss").succeeds();
    instead("verify").succeeds();
    world.kalends("run").fails_with(4).says("another database");
}

#[test]
fn a_production_that_was_restored_to_an_earlier_state_is_held() {
    let own = OwnServers::new();
    let world: World = own.world();
    super::rows(&world, &[("2024-01", 10), ("2024-02", 10)]);
    world.settles();
    own.stop_at_once(Side::Production);
    own.copy_or_put_back(Side::Production);
    own.start_again();
    world.production_sql("INSERT INTO entity VALUES ('2024-02-20', 1)");
    run_sql(&own.maintenance(Side::Production), "SELECT pg_switch_wal()");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-20', 1)");
    world.kalends("run").succeeds();
    let as_of = world.ask_warehouse("SELECT production_as_of FROM kalends.source").remove(0);

    own.stop_at_once(Side::Production);
    own.copy_or_put_back(Side::Production);
    own.start_again();
    let (january, february) = (all_of(&world, "2024-01"), all_of(&world, "2024-02"));
    world.kalends("run").fails_with(4).says(&format!(
        "held        2 months from 2024-01 on: production is older than what was settled of it, as of {as_of}"
    ));
    assert_eq!((all_of(&world, "2024-01"), all_of(&world, "2024-02")), (january, february));
    world.kalends("verify").fails_with(3);
    as_told(&world);
    world.settles();
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|10"]);
}
