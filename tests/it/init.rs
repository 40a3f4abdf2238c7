//! `init`: what it proposes is settled as it stands.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::export::Frozen;
use crate::kit::{BINARY, Ran, World};
use crate::messages::{as_role, golden, masked};

/// One run settles, verify agrees, and a further run writes nothing.
fn settles(world: &World) {
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    let (tuples, tree) = (world.tuples(), world.tree());
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), (tuples, tree), "a run with nothing to do wrote something");
}

fn written(world: &World) -> String {
    fs::read_to_string(world.folder().join("kalends.toml")).unwrap()
}

/// A shop: tables, keys, a partitioned table, and much that cannot be accounted for.
const SHOP: &str = "
    CREATE SCHEMA shop;
    CREATE TYPE shop.state AS ENUM ('open', 'paid');
    CREATE TABLE shop.customer (id integer PRIMARY KEY, name text, born date, joined_at timestamptz NOT NULL, credit numeric);
    CREATE TABLE shop.\"order\" (
        number bigint GENERATED ALWAYS AS IDENTITY, customer integer REFERENCES shop.customer, legacy_id integer,
        changed_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(), due date,
        state shop.state, gift boolean, country text, amount numeric NOT NULL, weight real, items smallint,
        PRIMARY KEY (number)
    );
    CREATE TABLE shop.visit (day date, pages integer) PARTITION BY RANGE (day);
    CREATE TABLE shop.visit_2024 PARTITION OF shop.visit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE shop.note (id serial, written timestamp, text text);
    CREATE TABLE shop.rate (currency text, factor numeric);
    CREATE TABLE shop.visit_old () INHERITS (shop.\"order\");
    CREATE VIEW shop.recent AS SELECT * FROM shop.\"order\";
    CREATE MATERIALIZED VIEW shop.sums AS SELECT day, pages FROM shop.visit;
    CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE shop.far (at timestamp, n integer) SERVER files OPTIONS (filename '/dev/null');
    INSERT INTO shop.customer VALUES (1, 'A', '1990-01-01', '2023-12-31 23:30+00', 10.50);
    INSERT INTO shop.\"order\" (customer, created_at, country, amount, weight, items)
        SELECT 1, '2024-01-31 23:30+00', (ARRAY['FR', 'DE'])[1 + n % 2], 1.25 * n, n, n FROM generate_series(1, 40) AS n;
    INSERT INTO shop.visit VALUES ('2024-02-29', 7), ('2024-03-01', 8);
    ANALYZE;
    GRANT USAGE ON SCHEMA shop TO kalends_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA shop TO kalends_reader;
";

#[test]
fn a_shop_is_proposed_and_settled_as_it_stands() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.production_sql(SHOP);
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!("ALTER DATABASE {database} SET TimeZone = 'Europe/Paris'"));
    world.kalends("init").succeeds().says("written     kalends.toml: 4 tables, 6 skipped, reasons in the file");
    golden("init_shop", &masked(&world, &written(&world)));

    settles(&world);
    world.file(
        "year=2024/entity_stats_yearly_2024.csv",
        "year,sum_values,min_values,max_values,mean_values\n2024,5,5,5,5.000000",
    );
    // 23:30 in UTC is the next day in Paris.
    world.file(
        "year=2024/month=1/day=1/customer_stats_daily_2024_1_1.csv",
        "year,month,day,sum_credit,min_credit,max_credit,mean_credit\n2024,1,1,10.5,10.5,10.5,10.500000",
    );
    world.file(
        "year=2024/month=2/day=1/order_stats_daily_2024_2_1.csv",
        "year,month,day,sum_amount,min_amount,max_amount,mean_amount,sum_weight,min_weight,max_weight,mean_weight,sum_items,min_items,max_items,mean_items
         2024,2,1,1025,1.25,50,25.625000,820,1,40,20.500000,820,1,40,20.500000",
    );
    world.file(
        "year=2024/visit_stats_yearly_2024.csv",
        "year,sum_pages,min_pages,max_pages,mean_pages\n2024,15,7,8,7.500000",
    );
    assert_eq!(world.files().keys().filter(|path| path.contains("_yearly_")).count(), 4);

    // What is proposed in a comment is taken as it stands as well.
    let text = written(&world);
    assert!(text.contains("#dimensions = "));
    world.settings(text.replace("#dimensions", "dimensions"));
    settles(&world);
    world.file(
        "year=2024/order_stats_yearly_2024.csv",
        "year,customer,state,gift,country,sum_amount,min_amount,max_amount,mean_amount,sum_weight,min_weight,max_weight,mean_weight,sum_items,min_items,max_items,mean_items
         2024,1,,,DE,500,1.25,48.75,25.000000,400,1,39,20.000000,400,1,39,20.000000
         2024,1,,,FR,525,2.5,50,26.250000,420,2,40,21.000000,420,2,40,21.000000",
    );
}

#[test]
fn names_of_any_kind_are_written_so_that_they_are_read() {
    let world = World::new();
    world.production_sql("DROP TABLE entity");
    let long = "ä".repeat(31) + "x";
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let names = [
        "Größe \"groß\"",
        "select",
        "a.b/c",
        "per cent %",
        "{{ day }}",
        "it's \\ #",
        "Orders",
        "orders",
        "orders_day",
        "orders_2024_01",
        "two\nlines",
        "x\n--y",
        "tab\tbed",
        " spaced ",
        long.as_str(),
    ];
    for (schema, number, names) in [("public", 5, &names[..]), ("My \"shop\".eu", 6, &names[..4])] {
        world.production_sql(&format!(
            "CREATE SCHEMA IF NOT EXISTS {0}; GRANT USAGE ON SCHEMA {0} TO kalends_reader;
             ALTER DEFAULT PRIVILEGES FOR ROLE kalends IN SCHEMA {0} GRANT SELECT ON TABLES TO kalends_reader",
            quoted(schema)
        ));
        for name in names {
            let table = format!("{}.{}", quoted(schema), quoted(name));
            let (time, measure) =
                (quoted(&format!("t {}", name.chars().next().unwrap())), quoted(&name.replace('ä', "y")));
            world.production_sql(&format!(
                "CREATE TABLE {table} ({time} timestamp, {measure} integer, \"two\nflags\" boolean, \"id\n#\" serial);
                 INSERT INTO {table} VALUES ('2024-01-31 23:59', {number})"
            ));
        }
    }
    world.production_sql("CREATE TABLE child () INHERITS (\"two\nlines\")");
    world.kalends("init").succeeds().says("19 tables, 1 skipped");
    settles(&world);
    let yearly: Vec<Vec<u8>> =
        world.files().into_iter().filter(|(path, _)| path.contains("_yearly_")).map(|(_, bytes)| bytes).collect();
    assert_eq!(yearly.len(), 19);
    for (number, files) in [(5, 15), (6, 4)] {
        let figures = format!("\n2024,{number},{number},{number},{number}.000000\n");
        let of_schema = yearly.iter().filter(|bytes| String::from_utf8_lossy(bytes).ends_with(&figures));
        assert_eq!(of_schema.count(), files, "{number}");
    }
}

#[test]
fn a_file_that_is_there_is_never_overwritten() {
    let world = World::new();
    let file = world.folder().join("kalends.toml");
    fs::write(&file, "# mine\n").unwrap();
    let ran = world.kalends("init");
    ran.fails_with(4);
    golden("init_file_is_there", &ran.stderr);
    world.kalends("init --out kalends.toml").fails_with(4);
    world.kalends("init --config kalends.toml").fails_with(4);
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
    // A link that leads nowhere is not written through.
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", &file).unwrap();
    world.kalends("init").fails_with(4);
    assert!(!world.folder().join("elsewhere.toml").exists());
    fs::remove_file(&file).unwrap();

    world.kalends("init --out other.toml").succeeds().says("written     other.toml: 1 table");
    world.kalends("init --config named.toml").succeeds();
    world.kalends_with("init", &[("KALENDS_CONFIG", "set.toml")]).succeeds();
    let names = || {
        let mut names: Vec<String> = fs::read_dir(world.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["named.toml", "other.toml", "set.toml"]);
    world.kalends("init --out nowhere/kalends.toml").fails_with(1).says("could not write \"nowhere/kalends.toml\"");

    let frozen = world.folder().join("frozen");
    fs::create_dir(&frozen).unwrap();
    let Some(held) = Frozen::new(&frozen) else { return };
    world.kalends("init --out frozen/kalends.toml").fails_with(1).says("could not write \"frozen/kalends.toml\"");
    drop(held);
    assert_eq!(fs::read_dir(&frozen).unwrap().count(), 0);
    assert_eq!(names(), ["frozen", "named.toml", "other.toml", "set.toml"]);
}

#[test]
fn two_that_write_at_once_leave_one_whole_file() {
    let world = World::new();
    for _ in 0..5 {
        let children: Vec<_> =
            (0..4).map(|_| world.command("init -q").stderr(Stdio::null()).spawn().unwrap()).collect();
        let mut codes: Vec<Option<i32>> = children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(4), Some(4), Some(4)]);
        assert!(written(&world).ends_with("measures = [\"value\"]\n"));
        assert_eq!(fs::read_dir(world.folder()).unwrap().count(), 1);
        world.no_settings();
    }
}

#[test]
fn tables_that_are_named_are_proposed_alone() {
    let world = World::new();
    world.production_sql(SHOP);
    let ran = world.kalends("init --out - --table shop.visit --table entity --table public.entity");
    ran.succeeds();
    assert_eq!(ran.stdout.matches("[[entity]]").count(), 2);
    assert!(ran.stdout.contains("table = \"shop.visit\"") && ran.stdout.contains("table = \"public.entity\""));
    assert_eq!(fs::read_dir(world.folder()).unwrap().count(), 0);
    // It is for a file that is there already, with its own settings.
    world.settings(ran.stdout);
    world.kalends("run").succeeds();
    for (arguments, code, said) in [
        (
            "init --out - --table shop.vist",
            4,
            "production shows no table \"shop.vist\"\n hint: Did you mean \"shop.visit\"?",
        ),
        (
            "init --out - --table far",
            4,
            "production shows no table \"public.far\"\n hint: `kalends init --out -` shows",
        ),
        ("init --out - --table shop.recent", 4, "cannot be used: a view"),
        ("init --out - --table a.b.c", 2, "\"a.b.c\" does not name a table"),
    ] {
        world.kalends(arguments).fails_with(code).says(said);
    }
    let ran = world.kalends("init --out - --table shop.visit_old --json").succeeds().json();
    assert_eq!(ran["file"], json!(null));
    assert!(ran["text"].as_str().unwrap().contains("name = \"visit_old\""));
    assert_eq!(
        ran["entities"],
        json!([{
            "name": "visit_old", "table": "shop.visit_old", "time": "created_at", "time_zone": "UTC",
            "measures": ["number", "customer", "amount", "weight", "items"], "dimensions": ["state", "gift"]
        }])
    );
}

#[test]
fn a_time_zone_that_is_no_name_is_left_to_be_written() {
    let world = World::new();
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!(
        "DROP TABLE entity; CREATE TABLE sale (at timestamptz, n integer);
         INSERT INTO sale VALUES ('2024-01-31 23:30+00', 3); ALTER DATABASE {database} SET TimeZone = 'CET'"
    ));
    world.kalends("init").succeeds().says("missing     the time_zone of 1 table");
    world.kalends("run").fails_with(4).says("Add time_zone to its [[entity]]");
    let text = written(&world);
    golden("init_zone", &masked(&world, &text));
    world.settings(text.replace("#time_zone", "time_zone"));
    settles(&world);
    assert!(world.exports.join("year=2024/month=2/day=1/sale_stats_daily_2024_2_1.csv").exists());
}

#[test]
fn what_the_role_may_not_see_is_left_out_and_no_password_is_written() {
    let world = World::new();
    world.production_sql(
        "CREATE SCHEMA inner_room; CREATE TABLE inner_room.safe (at date, n integer); CREATE TABLE hidden (at date, n integer);
         CREATE TABLE mine (at date, n integer); CREATE POLICY large_ones ON mine USING (n > 5); ALTER TABLE mine ENABLE ROW LEVEL SECURITY",
    );
    let url = as_role(&world, "stranger");
    let ran = world.kalends_with("init", &[("KALENDS_PRODUCTION_URL", &url)]);
    ran.fails_with(4)
        .says("production shows no table that Kalends can use: \"inner_room.safe\" is not, SELECT is not granted");
    world.production_sql("GRANT SELECT ON entity, mine TO stranger");
    let url = url.replacen('@', ":S3CRET@", 1);
    // The warehouse is not asked, and need not be set.
    world.kalends_with("init", &[("KALENDS_PRODUCTION_URL", &url), ("KALENDS_WAREHOUSE_URL", "")]).succeeds();
    let text = written(&world);
    golden("init_stranger", &masked(&world, &text));
    assert!(!text.contains("S3CRET"));
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", "")]).fails_with(2);
    world.kalends_with("init --out -", &[("KALENDS_PRODUCTION_URL", "")]).fails_with(2);
}

#[test]
fn hundreds_of_tables_are_no_matter() {
    let world = World::new();
    world.production_sql(
        "DO $$ BEGIN FOR n IN 1..400 LOOP
             EXECUTE format('CREATE TABLE t%s (created_at timestamp, a integer, b numeric, c real, d text, e boolean)', n);
         END LOOP; END $$",
    );
    let begun = std::time::Instant::now();
    world.kalends("init").succeeds().says("401 tables");
    assert_eq!(written(&world).matches("[[entity]]").count(), 401);
    // Reading them again compares each with each.
    world.kalends("status").succeeds();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("'{BINARY}' init --out - | head -1")])
        .envs(world.variables())
        .current_dir(world.folder());
    let ran = Ran::of(shell.output().unwrap(), "init --out -");
    assert!(ran.stdout.starts_with("# Settings of Kalends") && ran.stderr.is_empty(), "{}", ran.stderr);
    assert!(begun.elapsed().as_secs() < 60, "took {:?}", begun.elapsed());
}
