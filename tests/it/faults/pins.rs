//! What server, role and database set is not inherited by a run: asked of the server in the middle of one.

use super::held::{Hold, MOMENTS, Running};
use super::whole::is_mended;
use crate::kit::{READER, WRITER, World, run_sql};
use crate::own_servers::{OwnServers, Side};

/// Wanted in every transaction, and what a role has instead.
const PINNED: [(&str, &str, &str); 7] = [
    ("jit_above_cost", "0", "100000"),
    ("jit_inline_above_cost", "0", "500000"),
    ("jit_optimize_above_cost", "0", "500000"),
    ("tcp_keepalives_count", "9", "3"),
    ("tcp_keepalives_idle", "7200", "10"),
    ("tcp_keepalives_interval", "75", "5"),
    ("tcp_user_timeout", "0", "30000"),
];

fn set(world: &World, settings: &[(&str, &str)]) {
    for (url, role) in [(&world.production_url, READER), (&world.warehouse_url, WRITER)] {
        let (server, database) = url.rsplit_once('/').unwrap();
        for (name, value) in settings {
            run_sql(
                &format!("{server}/postgres"),
                &format!("ALTER ROLE {role} IN DATABASE {database} SET {name} = '{value}'"),
            );
        }
    }
}

#[test]
fn no_role_has_statements_compiled_or_is_left_behind_when_the_network_is_cut() {
    let own = OwnServers::new();
    let world = own.world();
    let host = own.listen(Side::Warehouse);
    world.production("created_at | value\n 2024-01-01 | 1");
    is_mended(&world);
    let hostile: Vec<(&str, &str)> = PINNED.iter().map(|(name, hostile, _)| (*name, *hostile)).collect();
    set(&world, &hostile);
    let names: Vec<String> = PINNED.iter().map(|(name, ..)| format!("'{name}'")).collect();
    // A trigger sees what holds in the transaction that writes.
    world.warehouse_sql(&format!(
        "CREATE TABLE public.seen (name text, value text);
         CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             INSERT INTO public.seen SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings
             WHERE name IN ({});
             RETURN NULL; END $$;
         CREATE TRIGGER note AFTER INSERT OR UPDATE ON kalends_stats.entity_day
             FOR EACH STATEMENT EXECUTE FUNCTION public.note()",
        names.join(", ")
    ));
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1)");
    let database = world.warehouse_url.rsplit('/').next().unwrap();
    let url = format!("postgresql://{WRITER}@{host}:5433/{database}");
    world.kalends_with("run", &[("KALENDS_WAREHOUSE_URL", &url)]).succeeds();
    let seen = world.ask_warehouse("SELECT DISTINCT (name || ' ' || value) COLLATE \"C\" FROM public.seen ORDER BY 1");
    let wanted: Vec<String> = PINNED.iter().map(|(name, _, wanted)| format!("{name} {wanted}")).collect();
    assert_eq!(seen, wanted);
    world.warehouse_sql("DROP FUNCTION public.note() CASCADE");
    is_mended(&world);
}

#[test]
fn a_limit_of_whole_transactions_cuts_no_run_in_two() {
    let world = World::new();
    let question = "SHOW server_version_num";
    let versions = [world.ask_production(question), world.ask_warehouse(question)];
    let version: u32 = versions.iter().map(|found| found[0].parse().unwrap()).min().unwrap();
    if version < 170_000 {
        eprintln!("NOT TRIED: PostgreSQL {} has no transaction_timeout", version / 10_000);
        return;
    }
    world.production("created_at | value\n 2024-01-01 | 1");
    is_mended(&world);
    set(&world, &[("transaction_timeout", "1500ms")]);
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1)");
    let hold = Hold::at(&world, MOMENTS[3]);
    let mut running = Running::until_held(&world, MOMENTS[3].side);
    assert!(!running.ends_within(std::time::Duration::from_secs(3)));
    drop(hold);
    running.ends().succeeds();
    is_mended(&world);
}
