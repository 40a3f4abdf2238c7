//! What Kalends may do: the rights of `docs/grants.sql`, which every other test has as well, are enough, and each is
//! needed.

use postgres::{Client, NoTls};

use crate::faults::whole::{State, committed, is_mended, is_whole};
use crate::kit::{READER, Ran, WRITER, World, run_sql};

/// The SQLSTATE that a role's statement ends with, after `BEGIN READ WRITE`.
fn refused(url: &str, sql: &str) -> String {
    let mut client = Client::connect(url, NoTls).unwrap();
    client.batch_execute("SET default_transaction_read_only = off").unwrap();
    let error = client.batch_execute(sql).expect_err(sql);
    error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_string()
}

/// Without the right on tables to come: one table, as `-v table=entity` gives it.
fn with_the_least() -> World {
    let world = World::new();
    world.production_sql(&format!(
        "ALTER DEFAULT PRIVILEGES FOR ROLE kalends IN SCHEMA public REVOKE SELECT ON TABLES FROM {READER}"
    ));
    world
}

#[test]
fn the_reader_reads_one_table_and_writes_nothing() {
    let world = with_the_least();
    world.production_sql("CREATE TABLE other (value integer); CREATE SCHEMA theirs; CREATE TABLE theirs.entity ()");
    world.production("created_at | value\n 2024-01-02 | 5");
    let before = world.ask_production("SELECT ctid, xmin, xmax, * FROM entity");
    run_sql(&world.reader_url, "SELECT * FROM entity");
    for sql in [
        "INSERT INTO entity VALUES ('2024-01-02', 6)",
        "UPDATE entity SET value = 6",
        "DELETE FROM entity",
        "TRUNCATE entity",
        "COPY entity FROM PROGRAM 'true'",
        "SELECT FROM entity FOR UPDATE",
        "BEGIN; LOCK TABLE entity IN ROW EXCLUSIVE MODE",
        "ALTER TABLE entity ADD COLUMN more integer",
        "CREATE INDEX ON entity (value)",
        "CREATE TABLE public.mine ()",
        "CREATE TEMP TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SELECT FROM other",
        "SELECT FROM theirs.entity",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(refused(&world.reader_url, sql), "42501", "{sql}");
    }
    assert_eq!(world.ask_production("SELECT ctid, xmin, xmax, * FROM entity"), before);
    let mut client = Client::connect(&world.reader_url, NoTls).unwrap();
    let error = client.batch_execute("CREATE TEMP TABLE mine ()").unwrap_err();
    assert_eq!(error.code().unwrap().code(), "25006", "read only, even before rights are looked at");
}

#[test]
fn the_writer_owns_three_schemas_and_nothing_else() {
    let world = World::new();
    for sql in [
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine ()",
        "CREATE TEMP TABLE mine ()",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "CREATE EXTENSION pg_trgm",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(refused(&world.writer_url, sql), "42501", "{sql}");
    }
    let role = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR EXISTS (
                    SELECT FROM pg_auth_members WHERE member = pg_roles.oid) FROM pg_roles WHERE rolname = ";
    assert_eq!(world.ask_warehouse(&format!("{role}'{WRITER}'")), ["f"]);
    assert_eq!(world.ask_production(&format!("{role}'{READER}'")), ["f"]);
    let database = "SELECT privilege_type FROM pg_database, aclexplode(datacl) AS acl
                    WHERE datname = current_database() AND grantee <> datdba ORDER BY 1";
    assert_eq!(world.ask_warehouse(database), ["CONNECT"]);
    assert_eq!(world.ask_production(database), ["CONNECT"]);
    let owned = "SELECT nspname FROM pg_namespace WHERE nspowner = '%'::regrole ORDER BY 1".replace('%', WRITER);
    assert_eq!(world.ask_warehouse(&owned), ["kalends", "kalends_raw", "kalends_stats"]);
}

#[test]
fn with_these_rights_every_command_does_its_work() {
    let world = with_the_least();
    // Nothing is granted on a partition, nor on the schema that it is in.
    world.production_sql(
        "DROP TABLE entity; CREATE SCHEMA parts;
         CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE parts.early PARTITION OF entity FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
         CREATE TABLE parts.late PARTITION OF entity FOR VALUES FROM ('2024-02-01') TO (MAXVALUE)",
    );
    world.grant_table("public", "entity");
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-31 | 7\n 2024-02-29 | 8");
    world.kalends("status").succeeds().says("none has settled anything yet");
    world.kalends("verify").fails_with(3);
    world.kalends("prepare").succeeds();
    world.kalends("status").fails_with(3).says("to write");
    world.kalends("export 2024 1").succeeds();
    world.kalends("export").succeeds();
    world.kalends("verify").succeeds();
    world.is_exact();
    world.production_sql("DELETE FROM entity WHERE value = 7; INSERT INTO entity VALUES ('2023-06-01', 1)");
    world.heals();
    world.kalends("forget entity --yes").succeeds();
    world.heals();
    is_mended(&world);
}

#[test]
fn the_file_of_grants_may_be_run_again_and_the_business_reads_what_comes_later() {
    let world = World::new();
    let tables = "SELECT count(*) FROM pg_class c WHERE relnamespace = 'kalends_stats'::regnamespace
                  AND relkind IN ('r', 'v') AND NOT has_table_privilege('kalends_business', c.oid, 'SELECT')";
    let business = [format!("writer={WRITER}"), "business=kalends_business".to_string()];
    let business: Vec<&str> = business.iter().map(String::as_str).collect();
    world.grants("warehouse", &business);
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    assert_eq!(world.ask_warehouse(tables), ["0"]);
    let before = (world.tuples(), world.tree());
    world.grants("warehouse", &business);
    world.grant_table("public", "entity");
    assert_eq!((world.tuples(), world.tree()), before);
    let business = "SET ROLE kalends_business;";
    assert_eq!(
        world.ask_warehouse(&format!("{business} SELECT sum_values FROM kalends_stats.entity_stats_yearly")),
        ["5"]
    );
    // What a run with nothing to do confirms is seen as well.
    let fresh = "SELECT proven_at, complete_through, whole, recent_from, older_proven_at FROM kalends_stats.freshness
                 WHERE entity = 'entity'";
    let before = world.ask_warehouse(fresh);
    assert_eq!(world.ask_warehouse(&format!("{business} {fresh}")), before);
    world.kalends("run").succeeds().says("nothing to do");
    let after = world.ask_warehouse(fresh);
    assert_ne!(after, before);
    assert_eq!(world.ask_warehouse(&format!("{business} {fresh}")), after);
    let closed = "SELECT closed FROM kalends_stats.entity_trend_daily";
    assert_eq!(world.ask_warehouse(&format!("{business} {closed}")), ["t"]);
    for sql in ["SELECT FROM kalends_raw.entity", "DELETE FROM kalends_stats.entity_year", "SELECT FROM kalends.run"] {
        assert_eq!(refused(&world.warehouse_url, &format!("{business} {sql}")), "42501", "{sql}");
    }
    world.settles();
}

/// The statement that a hint gives, between backticks.
fn remedy(ran: &Ran) -> String {
    let hint = ran.stderr.split("hint: ").nth(1).unwrap_or_else(|| panic!("no hint: {}", ran.stderr));
    hint.split('`').nth(1).unwrap_or_else(|| panic!("no remedy: {hint}")).to_string()
}

/// Takes a right away: a run is refused, says which object lacks what, and loses nothing; what it says to do is done,
/// and the run goes whole. `early`: before anything is committed.
fn is_needed(world: &World, url: &str, take: &str, says: &[&str], early: bool) {
    let before = State::of(world);
    // A day of an old month and a new month, so that the run comes by everything.
    world.production_sql(
        "UPDATE entity SET value = value + 1 WHERE created_at < '2024-02-01';
         INSERT INTO entity SELECT max(created_at) + interval '1 month', 1 FROM entity",
    );
    let after = State::of(world);
    let was = (committed(world), world.tree());
    run_sql(url, take);
    let ran = world.kalends("run");
    ran.fails_with(4);
    for text in says {
        ran.says(text);
    }
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{take}: {}", ran.stderr);
    is_whole(world, &[&before, &after]);
    if early {
        assert_eq!((committed(world), world.tree()), was, "{take}");
    }
    run_sql(url, &remedy(&ran));
    world.settles();
}

#[test]
fn each_right_on_production_is_needed_and_named() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    let database = world.ask_production("SELECT current_database()").remove(0);
    for (take, says) in [
        (
            format!("REVOKE CONNECT ON DATABASE {database} FROM {READER}"),
            [database.as_str(), "GRANT CONNECT ON DATABASE"],
        ),
        (format!("REVOKE USAGE ON SCHEMA public FROM {READER}"), ["schema public", "GRANT USAGE ON SCHEMA public TO"]),
        (format!("REVOKE SELECT ON entity FROM {READER}"), ["\"public.entity\"", "GRANT SELECT ON public.entity TO"]),
    ] {
        is_needed(&world, &world.production_url, &take, &says, true);
    }
}

#[test]
fn each_right_on_the_warehouse_is_needed_and_named() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    let database = world.ask_warehouse("SELECT current_database()").remove(0);
    let needed = |take: &str, says: &[&str], early| is_needed(&world, &world.warehouse_url, take, says, early);
    needed(&format!("REVOKE CONNECT ON DATABASE {database} FROM {WRITER}"), &[&database, "GRANT CONNECT"], true);
    for schema in ["kalends", "kalends_raw", "kalends_stats"] {
        let named = format!("schema {schema}");
        let owner = format!("ALTER SCHEMA {schema} OWNER TO {WRITER}");
        needed(&format!("ALTER SCHEMA {schema} OWNER TO kalends"), &[&named, &owner], true);
        let usage = format!("GRANT USAGE ON SCHEMA {schema} TO {WRITER}");
        needed(&format!("REVOKE USAGE ON SCHEMA {schema} FROM {WRITER}"), &[&named, &usage], true);
    }
    let create = format!("GRANT CREATE ON SCHEMA kalends_raw TO {WRITER}");
    needed(&format!("REVOKE CREATE ON SCHEMA kalends_raw FROM {WRITER}"), &["schema kalends_raw", &create], false);
    for table in [
        "kalends.state",
        "kalends.run",
        "kalends.entity",
        "kalends.restatement",
        "kalends.source",
        "kalends.held",
        "kalends.file",
        "kalends_raw.entity_2024_01",
        "kalends_stats.entity_day",
        "kalends_stats.entity_month",
        "kalends_stats.entity_year",
    ] {
        let named = format!("table {table}");
        let early = table != "kalends.file";
        let granted = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {table} TO {WRITER}");
        needed(&format!("REVOKE ALL ON {table} FROM {WRITER}"), &[&named, &granted], early);
        let owner = format!("ALTER TABLE {table} OWNER TO {WRITER}");
        needed(&format!("ALTER TABLE {table} OWNER TO kalends"), &[&named, &owner], early);
    }
    // Its months are attached to it.
    let owner = format!("ALTER TABLE kalends_raw.entity OWNER TO {WRITER}");
    needed("ALTER TABLE kalends_raw.entity OWNER TO kalends", &["table kalends_raw.entity", &owner], false);
    for view in ["kalends.entity_daily", "kalends.entity_monthly", "kalends.entity_yearly"] {
        let granted = format!("GRANT SELECT ON TABLE {view} TO {WRITER}");
        needed(&format!("REVOKE ALL ON {view} FROM {WRITER}"), &[&format!("view {view}"), &granted], false);
    }
}

#[test]
fn without_the_schemas_a_first_run_says_how_to_make_them_and_leaves_those_of_others_alone() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    let objects = "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                   WHERE nspname LIKE 'kalends%' ORDER BY 1, 2";
    for schema in ["kalends", "kalends_raw", "kalends_stats"] {
        for (spoil, says, mend) in [
            (format!("DROP SCHEMA {schema}"), format!("the warehouse has no schema \"{schema}\""), None),
            (
                format!("ALTER SCHEMA {schema} OWNER TO kalends"),
                format!("schema \"{schema}\" of the warehouse belongs to role \"kalends\""),
                None,
            ),
            (
                format!("CREATE TABLE {schema}.theirs ()"),
                format!("schema \"{schema}\" of the warehouse holds what is not Kalends'"),
                Some(format!("DROP TABLE {schema}.theirs")),
            ),
            (
                format!("CREATE FUNCTION {schema}.theirs() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
                format!("schema \"{schema}\" of the warehouse holds what is not Kalends'"),
                Some(format!("DROP FUNCTION {schema}.theirs")),
            ),
        ] {
            world.warehouse_sql(&spoil);
            let before = world.ask_warehouse(objects);
            let ran = world.kalends("run");
            ran.fails_with(4).says(&says);
            assert_eq!(world.ask_warehouse(objects), before, "{spoil}");
            assert!(!world.exports.exists());
            world.warehouse_sql(&mend.unwrap_or_else(|| remedy(&ran)));
        }
    }
    world.settles();

    // With CREATE on the database it makes them itself.
    world.warehouse_sql("DROP SCHEMA kalends, kalends_raw, kalends_stats CASCADE");
    let database = world.ask_warehouse("SELECT current_database()").remove(0);
    world.warehouse_sql(&format!("GRANT CREATE ON DATABASE {database} TO {WRITER}"));
    world.settles();
}
