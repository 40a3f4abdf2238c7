//! Runs that fail are noted.

use serde_json::json;

use super::{lose, settled};

#[test]
fn runs_that_fail_or_are_refused_are_noted_and_the_last_twenty_are_kept() {
    let world = settled();
    assert_eq!(world.kalends("status --json").json()["failures"], json!([]));
    lose(&world, "2024-02", 10);
    world.kalends("run").fails_with(4);
    let noted = world.kalends("status --json").succeeds().json()["failures"].clone();
    let message = "entity \"entity\": 2024-02 is held: none of 10 rows is left";
    assert_eq!(
        noted,
        json!([{"at": noted[0]["at"], "command": "run", "entity": "entity", "exit_code": 4, "message": message}])
    );
    assert!(noted[0]["at"].as_str().unwrap().ends_with(" UTC"));
    world.production_sql("ALTER TABLE entity RENAME TO entities");
    // Neither usage nor what is tried again by itself is noted, nor what other commands find.
    world.kalends("run --fast").fails_with(2);
    world.kalends("verify").fails_with(4);
    for _ in 0..20 {
        world.kalends("prepare").fails_with(4);
    }
    let noted = world.kalends("status --json").succeeds().json()["failures"].clone();
    let noted = noted.as_array().unwrap();
    assert_eq!(noted.len(), 20);
    for failure in noted {
        assert_eq!(failure["message"], "production has no table \"public.entity\"");
        assert_eq!((&failure["command"], &failure["exit_code"]), (&json!("prepare"), &json!(4)));
    }
    world.kalends("status").succeeds().says("prepare ended with 4: production has no table \"public.entity\"");
    // What a good run has left behind is counted, and no longer in the way. Moments are shown in whole seconds.
    world.production_sql("ALTER TABLE entities RENAME TO entity");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.kalends("run --accept-loss").succeeds();
    let status =
        world.kalends("status").succeeds().says("earlier     20 failures, dated before the proof").stdout.clone();
    assert!(!status.contains("ended with"), "{status}");
}

#[test]
fn a_production_that_cannot_be_reached_is_noted_and_a_warehouse_that_cannot_is_not_waited_for() {
    let world = settled();
    let nowhere = "postgresql://kalends@%2Fnowhere:5432/database";
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", nowhere)]).fails_with(1);
    let noted = world.kalends("status --json").succeeds().json()["failures"].clone();
    assert_eq!(noted.as_array().unwrap().len(), 1);
    assert_eq!(noted[0]["exit_code"], 1);
    assert!(noted[0]["message"].as_str().unwrap().starts_with("could not connect to production"), "{noted}");
    let ran = world.kalends_with("run", &[("KALENDS_WAREHOUSE_URL", nowhere)]);
    assert_eq!(ran.fails_with(1).stderr.matches("error:").count(), 1);
}
