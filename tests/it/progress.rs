//! What is said while a command works: a bar on a terminal, nothing that is not asked for elsewhere.

use std::process::Stdio;

use crate::kit::{BINARY, Ran, World};

/// Runs on a terminal of its own, and gives what was drawn there; `None` where there is no `script` to make one.
fn on_a_terminal(world: &World, arguments: &str) -> Option<String> {
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{BINARY} {arguments}"), "/dev/null"]).stdin(Stdio::null());
    script
        .current_dir(world.folder())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm")
        .envs(world.variables());
    let Ok(output) = script.output() else {
        eprintln!("not tried: there is no script(1) to make a terminal");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn long_work_draws_a_bar_on_a_terminal_and_only_there() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 second', n FROM generate_series(1, 400000) AS n",
    );
    let Some(drawn) = on_a_terminal(&world, "prepare") else { return };
    assert!(drawn.contains(" of 400,000 rows  ") && drawn.contains("/s  ") && drawn.contains(" left"), "{drawn}");
    assert!(drawn.contains("settled     5 days (5 new), 1 month"), "{drawn}");

    world.production_sql("UPDATE entity SET value = value + 1");
    let quiet = on_a_terminal(&world, "prepare --quiet").unwrap();
    assert_eq!(quiet, "");

    world.production_sql("UPDATE entity SET value = value + 1");
    let ran: Ran = world.kalends("prepare");
    assert_eq!(ran.succeeds().stderr, "", "work of less than 10 s says nothing in a log");
}
