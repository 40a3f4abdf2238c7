//! What a session inherits from server, database, role and environment, and how databases were made: none of it changes
//! a byte.

use std::collections::BTreeMap;

use super::asked::{Asked, settles};
use crate::kit::{READER, Ran, WRITER, World, ask, run_sql, servers};
use crate::own_servers::{OwnServers, Side};

const MEASURES: [(&str, &str); 4] =
    [("whole", "integer"), ("exact", "numeric"), ("short", "real"), ("long", "double precision")];

/// Dimensions that other settings print in another way.
const DATED: [(&str, &str); 2] = [("due", "date"), ("spell", "interval")];

/// Times at which another zone would have another day, and numbers that fewer digits would change.
const ROWS: &str = "SET TimeZone = 'UTC';
    CREATE TABLE sold AS
    SELECT t AS at, t AT TIME ZONE 'UTC' AS moment, t::date AS on_day, n AS whole, n / 7.0 AS exact,
           (n / 7.0)::real AS short, n / 7.0::double precision * 1e10 AS long, t::date + n % 3 AS due,
           n % 2 * interval '-1 day 02:03:04' AS spell
    FROM generate_series(-300, 1500) AS n, LATERAL (SELECT timestamp '2023-12-31 23:59:59.999999' + n * interval '37 minutes') AS r (t);
    INSERT INTO sold VALUES ('2024-01-02', '2024-01-02', '2024-01-02', NULL, 'NaN', 'Infinity', '-Infinity')";

const LATER: &str =
    "SET TimeZone = 'UTC'; DELETE FROM sold WHERE whole % 10 = 3; UPDATE sold SET long = long + 1 WHERE whole = 40;
    INSERT INTO sold SELECT * FROM sold WHERE whole % 50 = 0;
    INSERT INTO sold VALUES (NULL, NULL, NULL, 1, 1, 1, 1), ('infinity', 'infinity', 'infinity', 1, 1, 1, 1),
                            ('0044-03-15 BC', '0044-03-15 BC', '0044-03-15 BC', NULL, 0, 0, 0)";

fn asked() -> [Asked<'static>; 3] {
    [("at", None), ("moment", Some("Europe/Paris")), ("on_day", None)].map(|(time, zone)| Asked {
        name: time,
        table: "sold",
        time,
        zone,
        measures: &MEASURES,
        ..Asked::default()
    })
}

/// With dimensions, which databases of another encoding cannot have.
fn dated() -> Asked<'static> {
    Asked { name: "dated", table: "sold", time: "on_day", measures: &MEASURES, dimensions: &DATED, ..Asked::default() }
}

/// Files, rows and accounts; as somebody sees them whom no setting is in the way of.
type Results = (BTreeMap<String, Vec<u8>>, Vec<String>);

fn results(world: &World) -> Results {
    let tables = asked().into_iter().flat_map(|asked| {
        let stats = ["day", "month", "year"].map(|level| format!("kalends_stats.{}_{level}", asked.name));
        [format!("kalends_raw.{}", asked.name)].into_iter().chain(stats)
    });
    let all = tables.flat_map(|table| {
        let rows = world
            .ask_warehouse(&format!("SET TimeZone = 'UTC'; SELECT t FROM {table} AS t ORDER BY t::text COLLATE \"C\""));
        rows.into_iter().map(move |row| format!("{table} {row}"))
    });
    (world.files(), all.collect())
}

fn filled(world: World) -> World {
    world.production_sql(ROWS);
    world.settings(asked().iter().map(Asked::settings).collect::<String>());
    world
}

/// In one scope each, so that none hides another: of the server, of the database, of the role.
const OF_SERVER: [&str; 20] = [
    "TimeZone = 'Asia/Kathmandu'",
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "extra_float_digits = -15",
    "lc_messages = 'C.utf8'",
    "lc_monetary = 'C.utf8'",
    "lc_numeric = 'C.utf8'",
    "lc_time = 'C.utf8'",
    "bytea_output = 'escape'",
    "timezone_abbreviations = 'India'",
    "default_transaction_isolation = 'serializable'",
    "standard_conforming_strings = off",
    "backslash_quote = off",
    "array_nulls = off",
    // Plans of which each way is switched off are dear, and compiling each of them takes minutes.
    "jit = off",
    "max_parallel_workers_per_gather = 4",
    "parallel_setup_cost = 0",
    "parallel_tuple_cost = 0",
    "default_toast_compression = 'pglz'",
    "cursor_tuple_fraction = 0",
];

const OF_DATABASE: [&str; 6] = [
    "TimeZone = 'America/St_Johns'",
    "DateStyle = 'SQL, DMY'",
    "default_transaction_isolation = 'read uncommitted'",
    "search_path = 'nowhere'",
    "plan_cache_mode = 'force_custom_plan'",
    "work_mem = '64kB'",
];

const OF_ROLE: [&str; 6] = [
    "TimeZone = 'Pacific/Kiritimati'",
    "DateStyle = 'Postgres, MDY'",
    "extra_float_digits = -3",
    "IntervalStyle = 'iso_8601'",
    "default_transaction_isolation = 'repeatable read'",
    "bytea_output = 'hex'",
];

/// What a process may have around it. libpq takes the first four; the last three are the C library's.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("PGOPTIONS", "-c TimeZone=Asia/Tokyo -c extra_float_digits=-15 -c DateStyle=German"),
    ("PGTZ", "Pacific/Apia"),
    ("PGDATESTYLE", "SQL, DMY"),
    ("PGCLIENTENCODING", "LATIN1"),
    ("TZ", "Pacific/Kiritimati"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("LANG", "ar_EG.UTF-8"),
    ("LANGUAGE", "de:ar"),
];

/// From a database that no test is about, for these settings would be in our own way as well.
struct Scopes<'a> {
    servers: &'a OwnServers,
    database: String,
}

impl Scopes<'_> {
    /// Whom the binary is there.
    fn role(&self, side: Side) -> &'static str {
        if side == Side::Production { READER } else { WRITER }
    }

    fn set(&self, scope: &str) {
        for side in [Side::Production, Side::Warehouse] {
            let url = self.servers.maintenance(side);
            let alter = |owner: &str, settings: &[&str]| {
                settings.iter().for_each(|setting| run_sql(&url, &format!("ALTER {owner} SET {setting}")));
            };
            match scope {
                "server" => {
                    alter("SYSTEM", &OF_SERVER);
                    // Whatever way of doing it there is another way than.
                    for switch in ask(&url, "SELECT name FROM pg_settings WHERE name LIKE 'enable\\_%'") {
                        alter("SYSTEM", &[&format!("{switch} = off")]);
                    }
                    run_sql(&url, "SELECT pg_reload_conf()");
                }
                "database" => alter(&format!("DATABASE {}", self.database), &OF_DATABASE),
                "role" => alter(&format!("ROLE {}", self.role(side)), &OF_ROLE),
                _ => {}
            }
        }
    }

    fn reset(&self) {
        for side in [Side::Production, Side::Warehouse] {
            let url = self.servers.maintenance(side);
            let (database, role) = (format!("DATABASE {}", self.database), format!("ROLE {}", self.role(side)));
            for owner in ["SYSTEM", &database, &role] {
                run_sql(&url, &format!("ALTER {owner} RESET ALL"));
            }
            run_sql(&url, "SELECT pg_reload_conf()");
        }
    }
}

/// Both runs, the proof, and that there is nothing more to do, with these variables.
fn runs(world: &World, variables: &[(&str, &str)]) -> [Ran; 3] {
    ["run", "verify", "run"].map(|command| world.kalends_with(command, variables))
}

#[test]
fn no_setting_of_server_database_role_or_environment_changes_a_byte() {
    let servers = OwnServers::new();
    let all = || asked().into_iter().chain([dated()]);
    let filled = |world| {
        let world = filled(world);
        world.settings(all().map(|asked| asked.settings()).collect::<String>());
        world
    };
    let plain = filled(servers.world());
    settles(&plain);
    all().for_each(|asked| asked.is_exact(&plain));
    let first = results(&plain);
    plain.production_sql(LATER);
    settles(&plain);
    let then = results(&plain);
    assert_ne!(first, then);

    for scope in ["server", "database", "role", "environment"] {
        let world = filled(servers.world());
        let database = world.production_url.rsplit_once('/').unwrap().1.to_string();
        let scopes = Scopes { servers: &servers, database };
        let options = "?options=-c%20TimeZone%3DAsia/Tokyo%20-c%20DateStyle%3DGerman%20-c%20extra_float_digits%3D-15";
        let urls = [&world.production_url, &world.warehouse_url].map(|url| format!("{url}{options}"));
        let mut variables: Vec<(&str, &str)> = Vec::new();
        if scope == "environment" {
            variables.extend(ENVIRONMENT);
            variables
                .extend([("KALENDS_PRODUCTION_URL", urls[0].as_str()), ("KALENDS_WAREHOUSE_URL", urls[1].as_str())]);
        }
        for (change, expected) in [("", &first), (LATER, &then)] {
            world.production_sql(change);
            scopes.set(scope);
            let ran = runs(&world, &variables);
            scopes.reset();
            for ran in &ran {
                ran.succeeds();
            }
            ran[2].says("nothing to do");
            let found = results(&world);
            assert!(found.0 == expected.0, "files under the settings of {scope}");
            assert!(found.1 == expected.1, "rows or accounts under the settings of {scope}");
        }
    }
}

#[test]
fn a_date_is_a_time_and_the_settings_of_server_and_role_change_nothing() {
    let world = World::new();
    world.production_sql("CREATE TABLE booked (on_day date, amount integer, fee bigint)");
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!(
        "ALTER DATABASE {database} SET TimeZone = 'Pacific/Kiritimati'; ALTER DATABASE {database} SET DateStyle = 'German';
         ALTER DATABASE {database} SET extra_float_digits = -15"
    ));
    let measures = [("amount", "integer"), ("fee", "bigint")];
    let asked = Asked { name: "booked", table: "booked", time: "on_day", measures: &measures, ..Asked::default() };
    world.settings(asked.settings());
    world.production_sql(
        "INSERT INTO booked VALUES ('01.03.2024', 3, 4), ('29.02.2024', 1, NULL), ('31.12.1969', 5, -6)",
    );
    settles(&world);
    let files: Vec<String> = world.files().into_keys().filter(|path| path.contains("daily")).collect();
    assert_eq!(
        files,
        [
            "year=1969/month=12/day=31/booked_stats_daily_1969_12_31.csv",
            "year=2024/month=2/day=29/booked_stats_daily_2024_2_29.csv",
            "year=2024/month=3/day=1/booked_stats_daily_2024_3_1.csv",
        ]
    );
    world.file(
        "year=2024/month=2/day=29/booked_stats_daily_2024_2_29.csv",
        "year,month,day,sum_amount,min_amount,max_amount,mean_amount,count_amount,sum_fee,min_fee,max_fee,mean_fee,count_fee
         2024,2,29,1,1,1,1.000000,1,,,,,0",
    );
    world.production_sql("INSERT INTO booked VALUES ('infinity', 1, 1), (NULL, 1, 1)");
    world
        .kalends("run")
        .succeeds()
        .says("set aside   1 row without a time, 1 at infinity, before 4713 BC or after 999998");
}

const UTF8: &str = "";
const LATIN1: &str = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
const SQL_ASCII: &str = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'";
/// Upper and lower case of the Turkish i are others than elsewhere.
const TURKISH: &str = "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LC_COLLATE 'C' LC_CTYPE 'C'";
const GERMAN: &str = "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C' LC_CTYPE 'C'";

#[test]
fn databases_of_another_encoding_or_locale_give_the_same_bytes() {
    let mut plain: Option<Results> = None;
    for made in [
        [UTF8, UTF8],
        [LATIN1, UTF8],
        [UTF8, LATIN1],
        [SQL_ASCII, UTF8],
        [UTF8, SQL_ASCII],
        [TURKISH, GERMAN],
        [GERMAN, TURKISH],
    ] {
        let (both, question) = (World::new(), "SHOW server_version_num");
        let versions = [both.ask_production(question), both.ask_warehouse(question)];
        let version: u32 = versions.iter().map(|found| found[0].parse().unwrap()).min().unwrap();
        if made.contains(&TURKISH) && version < 150_000 {
            eprintln!("not tried: databases with a locale of ICU, which PostgreSQL 15 has");
            continue;
        }
        let world = filled(World::made(servers(), made));
        world.production_sql(
            "CREATE TABLE \"Größe I\" (\"à l'heure\" timestamp, \"café i\" integer); INSERT INTO \"Größe I\" VALUES ('2024-01-02', 5)",
        );
        let named = Asked {
            name: "café I",
            table: "\"Größe I\"",
            time: "à l'heure",
            measures: &[("café i", "integer")],
            ..Asked::default()
        };
        world.settings(asked().iter().chain([&named]).map(Asked::settings).collect::<String>());
        settles(&world);
        asked().iter().for_each(|asked| asked.is_exact(&world));
        world.file(
            "year=2024/month=1/day=2/caf%C3%A9%20I_stats_daily_2024_1_2.csv",
            "year,month,day,sum_café i,min_café i,max_café i,mean_café i,count_café i\n2024,1,2,5,5,5,5.000000,1",
        );
        let found = results(&world);
        assert_eq!(&found, plain.get_or_insert_with(|| found.clone()), "{made:?}");
    }
}

#[test]
fn a_name_that_the_warehouse_cannot_write_down_is_refused() {
    let world = World::made(servers(), [UTF8, LATIN1]);
    world.production_sql("CREATE TABLE sold (at timestamp, amount integer); INSERT INTO sold VALUES ('2024-01-02', 5)");
    let asked = |name| Asked { name, table: "sold", measures: &[("amount", "integer")], ..Asked::default() };
    world.settings(asked("заказ").settings());
    world
        .kalends("run")
        .fails_with(4)
        .says("a name in the settings cannot be written in the encoding of a database: character");
    assert!(!world.exports.exists());
    world.settings(asked("café").settings());
    settles(&world);
    world.file(
        "year=2024/caf%C3%A9_stats_yearly_2024.csv",
        "year,sum_amount,min_amount,max_amount,mean_amount,count_amount\n2024,5,5,5,5.000000,1",
    );

    let world = World::made(servers(), [LATIN1, UTF8]);
    world.settings(Asked { table: "\"заказ\"", ..asked("sold") }.settings());
    world
        .kalends("run")
        .fails_with(4)
        .says("a name in the settings cannot be written in the encoding of a database: character");
}
