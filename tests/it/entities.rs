//! Tables other than the default one: several of them, types, time zones, names; what changes between runs.

mod anew;
pub mod asked;
mod calendar;
mod dimensions;
pub mod drawn;
mod histories;
mod inherited;
mod levels;
mod spread;
mod trends;
mod types;
mod zone_data;
mod zones;

use serde_json::json;

use crate::kit::World;
use asked::{Asked, NUMBERS, quoted, settles, settles_by};

fn table_of_numbers(world: &World) -> Asked<'static> {
    let columns: Vec<String> = NUMBERS.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    world.production_sql(&format!("CREATE TABLE numbers (at timestamp, {})", columns.join(", ")));
    let asked = Asked { name: "numbers", table: "public.numbers", time: "at", measures: &NUMBERS, ..Asked::default() };
    world.settings(asked.settings());
    asked
}

#[test]
fn measures_of_all_types_are_exact() {
    let world = World::new();
    let asked = table_of_numbers(&world);
    world.production_sql(
        "INSERT INTO numbers VALUES
         ('2024-01-01', 32767, 2147483647, 9223372036854775807, 12345678901234567890.123400, 0.1, 0.1),
         ('2024-01-01', 32767, 2147483647, 9223372036854775807, 0.000600, 0.2, 0.2),
         ('2024-01-01', -32768, -2147483648, -9223372036854775808, -1e-30, 1e38, 1e308),
         ('2024-01-02', NULL, NULL, NULL, NULL, NULL, NULL),
         ('2024-01-03', 0, 0, 0, 10.00, -0.0, -0.0)",
    );
    settles(&world);
    asked.is_exact(&world);
    let day = std::fs::read_to_string(world.exports.join("year=2024/month=1/day=3/numbers_stats_daily_2024_1_3.csv"))
        .unwrap();
    assert!(day.ends_with(",10,10,10,10.000000,1,0,0,0,0.000000,1,0,0,0,0.000000,1\n"), "{day}");
    world.production_sql("UPDATE numbers SET long = 0.30000000000000004 WHERE long = 0.1");
    world.kalends("verify").fails_with(3);
    settles(&world);
    asked.is_exact(&world);
}

#[test]
fn floats_are_added_up_the_same_in_any_order() {
    let world = World::new();
    let asked = table_of_numbers(&world);
    let rows = "SELECT timestamp '2024-01-01', 1, 1, 1, 1, 1, x FROM unnest('{1e16, 1, -1e16, 1e-9, 0.1}'::float8[]) x";
    world.production_sql(&format!("INSERT INTO numbers {rows}"));
    settles(&world);
    asked.is_exact(&world);
    let (files, tuples) = (world.files(), world.tuples());
    world.production_sql(&format!("TRUNCATE numbers; INSERT INTO numbers {rows} ORDER BY x"));
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.files(), world.tuples()), (files, tuples));
}

#[test]
fn what_is_no_number_and_what_has_no_end_are_carried() {
    let world = World::new();
    let asked = table_of_numbers(&world);
    let insert = |day: u8, value: &str| {
        world.production_sql(&format!(
            "INSERT INTO numbers VALUES ('2024-01-0{day}', 1, 1, 1, '{value}', '{value}', '{value}')"
        ));
    };
    for (day, value) in [(1, "NaN"), (1, "5"), (2, "NaN"), (3, "Infinity"), (3, "-2"), (4, "-Infinity"), (4, "7.5")] {
        insert(day, value);
    }
    settles(&world);
    asked.is_exact(&world);
}

#[test]
fn bigints_that_postgres_hashes_alike_are_told_apart() {
    let world = World::new();
    let asked = table_of_numbers(&world);
    // The high half is folded into the low half: these are one to hashint8extended under any seed.
    let (one, other) = ((5_i64 << 32) | 7, (4_i64 << 32) | 6);
    let alike = format!("SELECT hashint8extended({one}, 9) = hashint8extended({other}, 9)");
    assert_eq!(world.ask_production(&alike), ["t"]);
    let insert = |large: i64| format!("INSERT INTO numbers (at, large) VALUES ('2024-01-01', {large})");
    // Two rows more keep sum, smallest and largest as they are.
    let ends = [insert(0), insert(1 << 40)].join(";");
    let change = one - other;
    world.production_sql(&format!("{ends}; {}; {}", insert(one), insert(100)));
    settles(&world);
    world.production_sql(&format!(
        "UPDATE numbers SET large = {other} WHERE large = {one}; UPDATE numbers SET large = {} WHERE large = 100",
        100 + change
    ));
    world.kalends("verify").fails_with(3);
    settles(&world);
    asked.is_exact(&world);
}

#[test]
fn one_of_several_entities_that_fails_does_not_keep_the_others_from_settling() {
    let world = World::new();
    world.production_sql("CREATE TABLE a (at timestamp, n integer); CREATE TABLE b (at timestamp, n integer)");
    world.production_sql("INSERT INTO a VALUES ('2024-01-01', 1); INSERT INTO b VALUES ('2024-01-01', 2)");
    let measures = [("n", "integer")];
    let [a, b] =
        ["a", "b"].map(|name| Asked { name, table: name, time: "at", measures: &measures, ..Asked::default() });
    world.settings(&(a.settings() + &b.settings()));
    settles(&world);
    a.is_exact(&world);
    b.is_exact(&world);

    world.production_sql("ALTER TABLE a RENAME n TO m; UPDATE b SET n = 3");
    let ran = world.kalends("run --json");
    ran.fails_with(4).says("table \"public.a\" of production has no column \"n\"");
    let entities = ran.json()["entities"].clone();
    assert_eq!(entities[0]["exit_code"], 4);
    assert_eq!(entities[1]["settled_days"], json!({"changed": 1}));
    b.is_exact(&world);
    let kept = "year=2024/month=1/day=1/a_stats_daily_2024_1_1.csv";
    assert!(world.exports.join(kept).exists(), "what was settled of the other stays");
    world.production_sql("ALTER TABLE a RENAME m TO n");
    settles(&world);

    world.settings(b.settings());
    world.kalends("status").succeeds().says("not set     a: no longer in the settings");
    world.kalends("run").succeeds().says("nothing to do");
    assert!(world.exports.join(kept).exists());

    world.kalends("forget c").fails_with(2).says("It has: \"a\", \"b\".");
    world.kalends("forget a --yes").succeeds().says("its files go with the next `kalends export`");
    world.kalends("export").succeeds().says("3 removed");
    assert!(!world.exports.join(kept).exists());
    let objects = "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'kalends%'
                   AND relkind IN ('r', 'p', 'v') AND (relname = 'a' OR relname LIKE 'a\\_%') ORDER BY 1";
    assert_eq!(world.ask_warehouse(objects), Vec::<String>::new());
    b.is_exact(&world);
    settles(&world);
}

#[test]
fn names_of_any_kind_work_everywhere() {
    let long = "ä".repeat(31) + "x";
    for name in ["Größe \"groß\"", "select", "a.b/c", "per cent %", "{{ day }}", "it's \\ :\"x\"", long.as_str()] {
        let world = World::new();
        let [table, time, measure] = ["", "t ", "m "].map(|start| match name.len() {
            63 => name.to_string(),
            _ => format!("{start}{name}"),
        });
        let measure = if name.len() == 63 { "y".repeat(63) } else { measure };
        world.production_sql(&format!(
            "CREATE TABLE {} ({} timestamp, {} integer)",
            quoted(&table),
            quoted(&time),
            quoted(&measure)
        ));
        world.production_sql(&format!("INSERT INTO {} VALUES ('2024-01-31 23:59', 5)", quoted(&table)));
        world.settings(format!(
            "[[entity]]\nname = {name:?}\ntable = {:?}\ntime = {time:?}\nmeasures = [{measure:?}]\n",
            quoted(&table)
        ));
        settles(&world);
        let files = world.files();
        assert_eq!(files.len(), 3, "{name}: {:?}", files.keys());
        let (path, bytes) = files.iter().find(|(path, _)| path.contains("_stats_yearly_")).unwrap();
        assert!(path.starts_with("year=2024/") && path.is_ascii() && path.matches('/').count() == 1, "{path}");
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.ends_with("\n2024,5,5,5,5.000000\n"), "{text}");
        assert!(text.contains(&measure.replace('"', "\"\"")), "{text}");
        world.production_sql(&format!("UPDATE {} SET {} = 6", quoted(&table), quoted(&measure)));
        settles(&world);
    }
}

#[test]
fn what_the_settings_cannot_mean_is_refused() {
    let world = World::new();
    let entity = |name: &str, rest: &str| {
        format!("[[entity]]\nname = {name:?}\ntable = \"entity\"\ntime = \"created_at\"\n{rest}\n")
    };
    let measures = "measures = [\"value\"]";
    for (settings, code, said) in [
        (entity(&"x".repeat(64), measures), 2, "is not a name that PostgreSQL accepts"),
        (entity("a", measures) + &entity("A", measures), 2, "the entities \"a\" and \"A\" would share tables or files"),
        (entity("a", measures) + &entity("a_day", measures), 2, "would share tables or files"),
        (entity("a", measures) + &entity("a_2024_01", measures), 2, "would share tables or files"),
        (entity("a", "measures = []"), 2, "has no measures"),
        (entity("a", "measures = [\"value\", \"value\"]"), 2, "names column \"value\" twice"),
        (entity("a", &format!("{measures}\nlevels = [\"day\", \"day\"]")), 2, "named twice"),
        (entity("a", &format!("{measures}\nlevels = [\"decade\"]")), 2, "levels knows no \"decade\""),
        (
            entity("a", &format!("{measures}\nformats = [\"csv\", \"csv\"]")),
            2,
            "has formats that are empty or named twice",
        ),
        (entity("a", &format!("{measures}\nformats = []")), 2, "has formats that are empty"),
        (entity("a", &format!("{measures}\nformats = [\"json\"]")), 2, "Did you mean \"jsonl\"?"),
        (entity("a", &format!("{measures}\nlayout = \"flat\"")), 2, "layout knows no \"flat\""),
        (entity("a", &format!("{measures}\ntime_zone = \"CET\"")), 2, "is not the name of a time zone"),
        (
            entity("a", &format!("{measures}\ntime_zone = \"Europe/Paris\"")),
            4,
            "has no time zone, but time_zone is set",
        ),
        (entity("a", "measures = [\"created\"]"), 4, "has no column \"created\""),
    ] {
        world.settings(&settings);
        world.kalends("prepare").fails_with(code).says(said);
        assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname LIKE '%_day'"), ["0"]);
    }
    world.production_sql("ALTER TABLE entity ALTER created_at TYPE timestamptz");
    world.settings(entity("a", measures));
    world.kalends("prepare").fails_with(4).says("Add time_zone to its [[entity]]");
    world.settings(entity("a", &format!("{measures}\ntime_zone = \"Europe/Atlantis\"")));
    world.kalends("prepare").fails_with(4).says("time zone \"Europe/Atlantis\"");
    world.production_sql("ALTER TABLE entity ALTER value TYPE text");
    world.settings(entity("a", &format!("{measures}\ntime_zone = \"Europe/Paris\"")));
    world.kalends("prepare").fails_with(4).says("is of type text, which cannot be summed");
}

#[test]
fn a_forgotten_entity_is_settled_anew_beside_others() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("run").succeeds();
    let entity = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(entity);
    world.kalends("run").succeeds().says("nothing to do");
    // A restatement, and a loss that is held.
    world.production_sql("UPDATE entity SET value = 6");
    world.kalends("run").succeeds();
    world.production_sql("DELETE FROM entity");
    world.kalends("run").fails_with(4);
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(entity.replace("\"entity\"\ntable", "\"counted\"\ntable"));
    settles(&world);
    world.settings(format!("{entity}statistics = [\"sum\", \"count\"]\n"));
    let noted = |entity: &str| {
        ["restatement", "source", "held"].map(|table| {
            world
                .ask_warehouse(&format!("SELECT count(*) > 0 FROM kalends.{table} WHERE entity = '{entity}'"))
                .remove(0)
        })
    };
    assert_eq!(
        (noted("entity"), noted("counted")),
        (["t", "t", "t"].map(String::from), ["f", "t", "f"].map(String::from))
    );
    world.kalends("forget entity --yes").succeeds().says("the next `kalends run` settles it again");
    assert_eq!(
        (noted("entity"), noted("counted")),
        (["f", "f", "f"].map(String::from), ["f", "t", "f"].map(String::from))
    );
    settles(&world);
    world.file("year=2024/entity_stats_yearly_2024.csv", "year,sum_values,count_values\n2024,5,1");
    world.file(
        "year=2024/counted_stats_yearly_2024.csv",
        "year,sum_values,min_values,max_values,mean_values\n2024,5,5,5,5.000000",
    );
}
