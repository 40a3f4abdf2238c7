//! What those are told who steer: what they typed cannot be meant, or the guard holds something.

use super::{golden, masked, refuses};
use crate::kit::World;

#[test]
fn what_is_typed_to_steer_and_cannot_be_meant() {
    let world = World::with_two_days();
    for (arguments, name) in [
        ("run --wait soon", "wait_soon"),
        ("status --max-age long", "max_age_long"),
        ("run --accept-loss 2024-13", "accept_loss_month_13"),
        ("run --metrics /nowhere/kalends.prom", "metrics_folder_missing"),
        ("verify --accept-loss", "accept_loss_without_repair"),
        ("verify --repair --sample 5%", "repair_of_a_sample"),
        ("forget orders", "forget_unknown"),
    ] {
        refuses(&world, arguments, &[], 2, name);
    }
}

#[test]
fn forgetting_says_what_would_be_gone_and_does_it_only_when_asked_again() {
    let world = World::with_two_days();
    world.production_sql("UPDATE entity SET value = 9 WHERE value = 8");
    world.kalends("run").succeeds();
    refuses(&world, "forget entity", &[], 4, "forget_asks");
    refuses(&world, "forget entity --json --wait 1s", &[], 4, "forget_asks");
    world.kalends("run").succeeds().says("nothing to do");
    world.kalends("forget entity --yes").succeeds().says("forgotten   entity: 2 rows of 2 days");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.restatement"), ["0"]);
    refuses(&world, "forget entity", &[], 2, "forget_nothing_settled");
}

#[test]
fn what_the_guard_holds() {
    let world = World::with_two_days();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    let ran = world.kalends("run --quiet");
    golden("held_month", &masked(&world, &ran.fails_with(4).stderr));
    world.production_sql("TRUNCATE entity");
    let ran = world.kalends("verify --repair --quiet");
    golden("held_all", &masked(&world, &ran.fails_with(4).stderr));
    world.kalends("verify").fails_with(3);
    world.kalends("run --accept-loss").succeeds();
}
