//! `kill -9` while pages of the report are published.

use std::collections::BTreeMap;

use super::calls::{available, command_with, points_of, sampled};
use crate::kit::World;

fn pages(world: &World) -> BTreeMap<String, Vec<u8>> {
    world.files().into_iter().filter(|(path, _)| path.ends_with(".html")).collect()
}

#[test]
fn a_run_that_is_killed_leaves_each_page_old_or_new_and_the_next_one_completes_them() {
    if !available() {
        return;
    }
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settings("report = true\n");
    world.kalends("run").succeeds();
    let change = || world.production_sql("UPDATE entity SET value = value + 1 WHERE created_at < '2024-02-01'");
    change();
    let mut all = points_of(&world, "run");
    all.retain(|call, _| ["rename", "unlink", "write"].iter().any(|name| call.starts_with(name)));
    let mut killed = 0;
    for point in sampled(all, 4) {
        let before = pages(&world);
        assert_eq!(before.len(), 2);
        change();
        killed += usize::from(command_with(&world, "run", &point, "signal=SIGKILL", false).code.is_none());
        let torn = pages(&world);
        world.kalends("run").succeeds();
        let after = pages(&world);
        for (path, bytes) in &torn {
            assert!(before.get(path) == Some(bytes) || after.get(path) == Some(bytes), "{path} after {point:?}");
        }
        assert_ne!(before, after);
        world.kalends("verify").succeeds();
        assert!(world.files().keys().all(|path| !path.contains("staged")), "{point:?}");
    }
    assert!(killed > 2, "{killed}");
}
