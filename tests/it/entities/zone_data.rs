//! Servers whose time zone data are not the same, or become others.

use super::asked::{Asked, settles};
use crate::kit::World;
use crate::own_servers::{OwnServers, Side};

const AMOUNT: [(&str, &str); 1] = [("amount", "integer")];
const ZONE: &str = "Europe/Amsterdam";

/// What tzdata say of Amsterdam before the war, where they are packed with "backzone" and where they are not.
const WITH_BACKZONE: &str = "Zone Europe/Amsterdam 0:20 - +0020";
const WITHOUT_BACKZONE: &str = "Zone Europe/Amsterdam 0:00 - WET";

/// A table with two rows of a day of 1938: one is of another hour by the other data.
fn world(servers: &OwnServers) -> World {
    let world = servers.world();
    world.production_sql(
        "CREATE TABLE t (at timestamptz, amount integer);
         INSERT INTO t VALUES ('1938-01-05 11:50Z', 1), ('1938-01-05 12:10Z', 2)",
    );
    world.settings(asked(&["hour", "day", "month"]).settings());
    world
}

fn asked(levels: &'static [&'static str]) -> Asked<'static> {
    Asked { zone: Some(ZONE), measures: &AMOUNT, levels, ..Asked::default() }
}

fn hours(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT hour, sum_amount FROM kalends_stats.t_hour ORDER BY 1")
}

#[test]
fn hours_that_the_two_servers_see_differently_are_not_published() {
    let servers = OwnServers::new();
    let Some(production) = servers.own_zones(Side::Production) else { return };
    let Some(warehouse) = servers.own_zones(Side::Warehouse) else { return };
    production.set(WITH_BACKZONE);
    warehouse.set(WITHOUT_BACKZONE);
    let world = world(&servers);
    world
        .kalends("run")
        .fails_with(4)
        .says("production and the warehouse disagree about time zone \"Europe/Amsterdam\" on 1938-01-05")
        .says("it is 00:20:00 ahead of UTC in production and 00:00:00 in the warehouse")
        .says("time zone data");
    assert_eq!(world.files().len(), 0);
    assert_eq!(hours(&world), Vec::<String>::new());
    // The same data on both, and it goes on.
    warehouse.set(WITH_BACKZONE);
    settles(&world);
    assert_eq!(hours(&world), ["1938-01-05 12:00:00|3"]);
    world.kalends("verify --exact").succeeds();
    // The warehouse's alone become others: what is settled is production's still, and verify says that the two
    // disagree.
    warehouse.set(WITHOUT_BACKZONE);
    world.kalends("verify").fails_with(3).says("rows        1938-01-05 changed");
    world.kalends("verify --exact").fails_with(3).says("rows        1938-01-05 changed");
}

#[test]
fn hours_are_settled_again_after_new_time_zone_data() {
    let servers = OwnServers::new();
    let Some(production) = servers.own_zones(Side::Production) else { return };
    let Some(warehouse) = servers.own_zones(Side::Warehouse) else { return };
    [&production, &warehouse].into_iter().for_each(|zones| zones.set(WITHOUT_BACKZONE));
    let world = world(&servers);
    settles(&world);
    assert_eq!(hours(&world), ["1938-01-05 11:00:00|1", "1938-01-05 12:00:00|2"]);
    [&production, &warehouse].into_iter().for_each(|zones| zones.set(WITH_BACKZONE));
    world.kalends("verify").fails_with(3);
    settles(&world);
    assert_eq!(hours(&world), ["1938-01-05 12:00:00|3"]);
    assert_eq!(world.files().keys().filter(|path| path.contains("hourly")).count(), 1);
    // Days alone have nothing to do with the minute that a zone is off by.
    world.settings(asked(&["day", "month"]).settings());
    settles(&world);
    [&production, &warehouse].into_iter().for_each(|zones| zones.set(WITHOUT_BACKZONE));
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn new_time_zone_data_that_move_a_row_over_a_months_border_leave_both_months_whole() {
    let servers = OwnServers::new();
    let Some(production) = servers.own_zones(Side::Production) else { return };
    let Some(warehouse) = servers.own_zones(Side::Warehouse) else { return };
    let both = |data: &str| [&production, &warehouse].into_iter().for_each(|zones| zones.set(data));
    both(WITH_BACKZONE);
    let world = servers.world();
    world.production_sql(
        "CREATE TABLE t (at timestamptz, amount integer);
         INSERT INTO t VALUES ('1938-07-30 12:00Z', 1), ('1938-07-31 23:50Z', 2), ('1938-08-01 12:00Z', 4)",
    );
    world.settings(asked(&["hour", "day", "month"]).settings());
    settles(&world);
    let accounts = |world: &World| {
        (
            world.ask_warehouse("SELECT day, sum_amount FROM kalends_stats.t_day ORDER BY 1"),
            world.ask_warehouse("SELECT hour, sum_amount FROM kalends_stats.t_hour ORDER BY 1"),
            world.files().keys().filter(|path| path.contains("daily")).count(),
        )
    };
    let texts = |lines: &[&str]| lines.iter().map(|line| (*line).to_string()).collect::<Vec<_>>();
    let with = (
        texts(&["1938-07-30|1", "1938-08-01|6"]),
        texts(&["1938-07-30 12:00:00|1", "1938-08-01 00:00:00|2", "1938-08-01 12:00:00|4"]),
        2,
    );
    let without = (
        texts(&["1938-07-30|1", "1938-07-31|2", "1938-08-01|4"]),
        texts(&["1938-07-30 12:00:00|1", "1938-07-31 23:00:00|2", "1938-08-01 12:00:00|4"]),
        3,
    );
    assert_eq!(accounts(&world), with);
    for (data, expected) in [(WITHOUT_BACKZONE, without), (WITH_BACKZONE, with)] {
        both(data);
        // One run, after which nothing is missing and nothing is there twice.
        settles(&world);
        assert_eq!(accounts(&world), expected);
        world.kalends("verify --exact").succeeds();
    }
}
