//! Settings of roles and databases that would change an answer, and functions planted in the way.

use super::whole::is_mended;
use crate::kit::{READER, WRITER, World, run_sql};

/// In front of everything, where the search path says so: wrong functions, operators and tables of the right names.
const PLANTED: &str = "
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.date_trunc(text, timestamp) RETURNS timestamp LANGUAGE sql AS $$ SELECT timestamp '1999-01-01' $$;
    CREATE FUNCTION evil.date_part(text, timestamp) RETURNS double precision LANGUAGE sql AS $$ SELECT 0::float8 $$;
    CREATE FUNCTION evil.isfinite(timestamp) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE FUNCTION evil.hashint4extended(integer, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$;
    CREATE FUNCTION evil.hashfloat8extended(float8, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$;
    CREATE FUNCTION evil.timestamp_hash_extended(timestamp, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$;
    CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE sql AS $$ SELECT NULL::regclass $$;
    CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '1999-01-01' $$;
    CREATE FUNCTION evil.pg_try_advisory_xact_lock(integer, integer) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
    CREATE FUNCTION evil.sign(numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT -1::numeric $$;
    CREATE FUNCTION evil.div(numeric, numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT 13::numeric $$;
    CREATE FUNCTION evil.add(bigint, integer) RETURNS bigint LANGUAGE sql AS $$ SELECT 13::bigint $$;
    CREATE AGGREGATE evil.sum(integer) (sfunc = evil.add, stype = bigint, initcond = '0');
    CREATE FUNCTION evil.never(timestamp, timestamp) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE FUNCTION evil.never(timestamp, date) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE FUNCTION evil.never(date, date) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE OPERATOR evil.>= (LEFTARG = timestamp, RIGHTARG = timestamp, FUNCTION = evil.never);
    CREATE OPERATOR evil.>= (LEFTARG = timestamp, RIGHTARG = date, FUNCTION = evil.never);
    CREATE OPERATOR evil.>= (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.never);
    CREATE OPERATOR evil.< (LEFTARG = timestamp, RIGHTARG = date, FUNCTION = evil.never);
    CREATE OPERATOR evil.= (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.never);
    CREATE TABLE evil.entity (created_at timestamp, value integer);
    CREATE TABLE evil.entity_day (day date);
    CREATE TABLE evil.pg_database (oid oid, datname name);
    CREATE DOMAIN evil.date AS text;
    CREATE DOMAIN evil.timestamp AS text;
    -- A search path leaves out what a role may not use.
    GRANT USAGE ON SCHEMA evil TO PUBLIC;
    GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC";

const SETTINGS: [&str; 29] = [
    "search_path = evil, pg_catalog, public",
    "TimeZone = 'America/New_York'",
    "DateStyle = 'SQL, DMY'",
    "IntervalStyle = 'sql_standard'",
    "extra_float_digits = -15",
    "synchronous_commit = off",
    "row_security = on",
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "client_encoding = 'LATIN1'",
    "client_min_messages = 'debug1'",
    "standard_conforming_strings = off",
    "escape_string_warning = on",
    "array_nulls = off",
    "transform_null_equals = on",
    "quote_all_identifiers = on",
    "bytea_output = 'escape'",
    "xmloption = 'document'",
    "session_replication_role = 'replica'",
    "enable_hashagg = off",
    "enable_seqscan = off",
    "enable_partition_pruning = off",
    "constraint_exclusion = on",
    "plan_cache_mode = 'force_generic_plan'",
    "work_mem = '64kB'",
    "jit_above_cost = 0",
    "parallel_setup_cost = 0",
    "min_parallel_table_scan_size = 0",
];

/// Of the database and of the role in it. From outside, for they would be in our own way as well.
fn set(world: &World, hostile: bool) {
    for (url, role) in [(&world.production_url, READER), (&world.warehouse_url, WRITER)] {
        let (server, database) = url.rsplit_once('/').unwrap();
        let maintenance = format!("{server}/postgres");
        for owner in [format!("DATABASE {database}"), format!("ROLE {role} IN DATABASE {database}")] {
            let statements: Vec<String> = match hostile {
                true => SETTINGS.iter().map(|setting| format!("ALTER {owner} SET {setting}")).collect(),
                false => vec![format!("ALTER {owner} RESET ALL")],
            };
            run_sql(&maintenance, &statements.join(";"));
        }
    }
}

#[test]
fn no_setting_of_role_or_database_and_nothing_planted_changes_a_digit() {
    let world = World::new();
    world.production_sql(PLANTED);
    world.warehouse_sql(PLANTED);
    for change in [
        "INSERT INTO entity SELECT timestamp '2023-12-31 22:00' + n * interval '7 minutes', n % 1000 - 500
         FROM generate_series(0, 9000) AS n; INSERT INTO entity VALUES ('2024-03-04 05:06:07.123456', NULL), (NULL, 1)",
        "UPDATE entity SET created_at = created_at + interval '1 microsecond' WHERE value = 3;
         DELETE FROM entity WHERE created_at < '2024-01-01';
         INSERT INTO entity SELECT created_at + interval '1 year', value FROM entity WHERE value = 4",
    ] {
        world.production_sql(change);
        set(&world, true);
        let ran = world.kalends("run --accept-loss");
        let verified = world.kalends("verify");
        let again = world.kalends("run");
        set(&world, false);
        ran.succeeds();
        verified.succeeds();
        again.succeeds().says("nothing to do");
        world.is_exact();
    }
    is_mended(&world);
}

#[test]
fn what_is_committed_is_on_the_disk_whatever_the_settings() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1");
    set(&world, true);
    // A trigger sees what holds in the transaction that writes.
    let ran = world.kalends("run");
    set(&world, false);
    ran.succeeds();
    world.warehouse_sql(
        "CREATE TABLE public.seen (setting text);
         CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             INSERT INTO public.seen SELECT name || ' ' || setting FROM pg_catalog.pg_settings
             WHERE name IN ('synchronous_commit', 'row_security', 'search_path', 'TimeZone', 'transaction_read_only');
             RETURN NULL; END $$;
         CREATE TRIGGER note AFTER INSERT OR UPDATE ON kalends_stats.entity_day EXECUTE FUNCTION public.note();
         ALTER TABLE kalends_stats.entity_day ENABLE ALWAYS TRIGGER note",
    );
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1)");
    set(&world, true);
    let ran = world.kalends("run");
    set(&world, false);
    ran.succeeds();
    let seen = world.ask_warehouse("SELECT DISTINCT setting COLLATE \"C\" FROM public.seen ORDER BY 1");
    assert_eq!(
        seen,
        ["TimeZone UTC", "row_security off", "search_path \"\"", "synchronous_commit on", "transaction_read_only off"]
    );
    world.warehouse_sql("DROP FUNCTION public.note() CASCADE");
    is_mended(&world);
}

#[test]
fn a_default_tablespace_that_is_the_database_s_own_is_no_hindrance() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1");
    let database = world.warehouse_url.rsplit_once('/').unwrap().1;
    world.warehouse_sql(&format!("ALTER DATABASE {database} SET default_tablespace = 'pg_default'"));
    is_mended(&world);
}
