//! A model of how Kalends settles and publishes, and a search through all that can happen to it. See README.md.

// Traces and figures are worth reading; a defence of the protocol is there or not.
#![allow(clippy::print_stderr, clippy::disallowed_methods, clippy::struct_excessive_bools)]

mod fault;
mod kalends;
mod prepare;
mod protocol;
mod publish;
mod search;
mod state;
mod worlds;

use fault::Fault;
use protocol::{Age, NEW, OLD, Protocol, TODAY};
use search::search;
use worlds::{FIRST_LOAD, FORGET, OTHER_SETTINGS, RESTORED, RESTORED_TO_NOTHING, SETTINGS_BY_TURNS, TWO_RUNS, World};

/// The protocol violates this in this world; the shortest way there is printed.
fn breaks(protocol: Protocol, world: &World, fault: Fault) -> String {
    let found = search(&world.under(protocol, Some(fault)));
    assert_eq!(found.fault, Some(fault), "{}: {} states show no such fault", world.name, found.states);
    let whose = match protocol {
        OLD => "by version 0.1.0",
        TODAY => "a known gap",
        _ => "with a defence taken away",
    };
    eprintln!("{}, {whose}: {fault}, found among {} states:\n{}", world.name, found.states, found.trace);
    found.trace
}

/// Whatever happens in this world, nothing is wrong.
fn holds(protocol: Protocol, world: &World) {
    let world = if worlds::sweeping() { world.at_large() } else { world.clone() };
    let found = search(&world.under(protocol, None));
    assert_eq!(found.fault, None, "{}: after {} states\n{}", world.name, found.states, found.trace);
    eprintln!("{}: {} states, no fault", world.name, found.states);
}

mod version_0_1_0 {
    use super::*;

    #[test]
    fn export_beside_a_rebuild_removes_files_whose_accounts_are_there() {
        let trace = breaks(OLD, &SETTINGS_BY_TURNS, Fault::FileVanished);
        assert!(trace.contains("make_anew"), "{trace}");
        breaks(OLD, &SETTINGS_BY_TURNS, Fault::YoungerTables);
        breaks(OLD, &FORGET, Fault::YoungerTables);
    }

    #[test]
    fn an_older_warehouse_puts_older_files_back_and_removes_newer_ones() {
        for fault in [Fault::OlderFile, Fault::FileVanished] {
            let trace = breaks(OLD, &RESTORED, fault);
            assert!(trace.contains("restored from its backup"), "{trace}");
        }
    }

    #[test]
    fn an_interrupted_load_is_published_as_closed() {
        breaks(OLD, &FIRST_LOAD, Fault::NotClosed);
        breaks(OLD, &TWO_RUNS, Fault::NotFresh);
    }

    #[test]
    fn a_run_of_another_settings_file_makes_a_stale_entity_fresh_and_closed() {
        for fault in [Fault::NotFresh, Fault::NotClosed] {
            let trace = breaks(OLD, &OTHER_SETTINGS, fault);
            assert!(trace.contains("settings of another entity"), "{trace}");
        }
    }

    #[test]
    fn an_entity_that_was_forgotten_is_still_called_proven() {
        let trace = breaks(OLD, &FORGET, Fault::NotClosed);
        assert!(trace.contains("make: COMMIT"), "{trace}");
    }
}

mod today {
    use super::*;

    #[test]
    fn a_first_load_that_is_interrupted_claims_nothing() {
        holds(TODAY, &FIRST_LOAD);
    }

    #[test]
    fn two_runs_and_an_export_at_once_claim_and_publish_what_is_so() {
        holds(TODAY, &TWO_RUNS);
    }

    #[test]
    fn runs_with_other_settings_by_turns_lose_no_file() {
        holds(TODAY, &SETTINGS_BY_TURNS);
    }

    #[test]
    fn another_settings_file_proves_its_own_entity() {
        holds(TODAY, &OTHER_SETTINGS);
    }

    #[test]
    fn a_warehouse_that_was_restored_puts_no_older_files_back() {
        holds(TODAY, &RESTORED);
    }

    #[test]
    fn an_entity_that_was_forgotten_is_loaded_and_published_anew() {
        holds(TODAY, &FORGET);
    }
}

/// What is known to be left, and that the rest of `NEW` is enough for it.
mod left_to_do {
    use super::*;

    #[test]
    fn files_that_a_dead_run_had_begun_of_an_entity_that_a_restored_warehouse_does_not_know() {
        breaks(TODAY, &RESTORED_TO_NOTHING, Fault::Stuck);
        holds(NEW, &RESTORED_TO_NOTHING);
    }

    #[test]
    fn the_rest_does_no_harm_elsewhere() {
        for world in [&FIRST_LOAD, &TWO_RUNS, &SETTINGS_BY_TURNS, &OTHER_SETTINGS, &RESTORED, &FORGET] {
            holds(NEW, world);
        }
    }
}

/// Each defence is there for something: without it, the model finds what it is for.
mod without {
    use super::*;

    #[test]
    fn a_mark_for_what_is_not_whole() {
        breaks(Protocol { whole: false, ..NEW }, &TWO_RUNS, Fault::NotFresh);
    }

    #[test]
    fn the_settlement_that_a_confirmation_is_of() {
        breaks(Protocol { tag: false, ..NEW }, &TWO_RUNS, Fault::NotFresh);
    }

    #[test]
    fn the_lock_and_the_generation_of_a_confirmation() {
        breaks(Protocol { confirm_locked: false, ..NEW }, &FIRST_LOAD, Fault::NotClosed);
    }

    #[test]
    fn a_run_with_nothing_to_do_that_makes_an_entity_whole() {
        breaks(Protocol { completes: false, ..NEW }, &FIRST_LOAD, Fault::Stuck);
    }

    #[test]
    fn the_generation_that_this_takes() {
        breaks(Protocol { completing_counts: false, ..NEW }, &FIRST_LOAD, Fault::NotClosed);
    }

    #[test]
    fn the_lock_of_the_entities_that_readers_take() {
        breaks(Protocol { table_lock: false, ..NEW }, &SETTINGS_BY_TURNS, Fault::YoungerTables);
    }

    #[test]
    fn the_settlement_beside_the_moment_in_the_manifest() {
        breaks(Protocol { age: Age::Moment, ..NEW }, &RESTORED, Fault::OlderFile);
        breaks(Protocol { age: Age::Recorded, ..NEW }, &RESTORED, Fault::OlderFile);
    }

    #[test]
    fn the_age_of_a_file_that_is_missing() {
        breaks(Protocol { age_of_missing: false, ..NEW }, &RESTORED, Fault::OlderFile);
    }

    #[test]
    fn a_manifest_that_notes_its_age_before_the_first_file_is_placed() {
        breaks(Protocol { age_first: false, ..NEW }, &RESTORED, Fault::OlderFile);
    }

    #[test]
    fn a_manifest_that_keeps_what_is_pending_of_files_that_are_left_alone() {
        breaks(Protocol { keeps_pending: false, ..NEW }, &RESTORED_TO_NOTHING, Fault::Stuck);
    }

    #[test]
    fn the_warehouses_own_record_of_files() {
        breaks(Protocol { own_files: false, ..NEW }, &RESTORED_TO_NOTHING, Fault::FileVanished);
    }
}
