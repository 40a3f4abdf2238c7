//! Ten thousand random edits of single rows, of which none may go unseen. `KALENDS_SEED` gives others.

// The seed and the figures are worth reading.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;

use postgres::{Client, NoTls, SimpleQueryMessage};

use kalends::entity::{Entity, Found, Model};
use kalends::sql::Statement;

use crate::kit::random::{self, Random};
use crate::kit::{self, World};

/// The statement that is run on both servers.
const DAYS: Statement = Statement { path: "sql/accounts/days.sql", text: include_str!("../../sql/accounts/days.sql") };

const EDITS: usize = 10_000;
const BATCHES: usize = 15;

const DAY_US: i64 = 86_400_000_000;
/// In microseconds from 2000-01-01.
const YEAR_2024_US: i64 = 8766 * DAY_US;
const YEAR_12024_US: i64 = (8766 + 3_652_425) * DAY_US;
const YEAR_44_BC_US: i64 = -746_000 * DAY_US;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// In microseconds from 2000-01-01.
    time: Option<i64>,
    value: Option<i32>,
}

/// The rows as they should be, by a number that production's table has beside its columns.
struct Table {
    rows: BTreeMap<i64, Row>,
    next: i64,
    /// The first of the three days of most rows.
    first_us: i64,
    random: Random,
}

/// One edit: SQL for it, and what it does to the rows.
struct Edit {
    kind: &'static str,
    sql: String,
    before: Vec<Row>,
    after: BTreeMap<i64, Row>,
    gone: Option<i64>,
}

impl Edit {
    /// Not every edit changes what is there: two equal values may have been swapped.
    fn changes(&self) -> bool {
        let sorted = |mut rows: Vec<Row>| {
            rows.sort();
            rows
        };
        sorted(self.before.clone()) != sorted(self.after.values().copied().collect())
    }
}

impl Table {
    fn new(first_us: i64, seed: u64) -> Self {
        let mut table = Self { rows: BTreeMap::new(), next: 0, first_us, random: Random::new(seed) };
        for _ in 0..300 {
            let row = table.any_row();
            table.rows.insert(table.next, row);
            table.next += 1;
        }
        table
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.random.below(u64::try_from(limit).unwrap())).unwrap()
    }

    /// Few times and few values, so that equal rows are common.
    fn any_row(&mut self) -> Row {
        let time = self.first_us + self.below(3) * DAY_US + self.below(20) * (DAY_US / 20);
        let time = if self.below(3) == 0 { time + self.below(DAY_US / 20) } else { time };
        let value = match self.below(20) {
            0 => None,
            1 => Some(i32::MAX),
            2 => Some(i32::MIN),
            // Alike but for where the point is, to a number of base 10,000.
            3 => Some(10_000),
            4 => Some(-100_000_000),
            _ => Some(i32::try_from(self.below(11) - 5).unwrap()),
        };
        Row { time: Some(time), value }
    }

    fn any_id(&mut self) -> i64 {
        let number = self.below(i64::try_from(self.rows.len()).unwrap());
        *self.rows.keys().nth(usize::try_from(number).unwrap()).unwrap()
    }

    fn edit(&mut self) -> Edit {
        let (id, other) = (self.any_id(), self.any_id());
        let (row, second) = (self.rows[&id], self.rows[&other]);
        let fresh = self.any_row();
        let step = self.below(DAY_US);
        let moved = |by: i64| Row { time: row.time.map(|time| time + by), ..row };
        let in_day = row.time.map(|time| time - time.rem_euclid(DAY_US) + step);
        match self.below(18) {
            0 => self.insert("insert", fresh),
            1 => self.insert("duplicate", row),
            2 => self.insert("insert without value", Row { value: None, ..fresh }),
            3 => delete(id, row),
            4 => update("value + 1", id, row, Row { value: row.value.map(|value| value.wrapping_add(1)), ..row }),
            5 => update("value - 1", id, row, Row { value: row.value.map(|value| value.wrapping_sub(1)), ..row }),
            6 => update("another value", id, row, Row { value: fresh.value, ..row }),
            7 => update("the value of another row", id, row, Row { value: second.value, ..row }),
            8 => update("no value", id, row, Row { value: None, ..row }),
            9 => update("1 microsecond later", id, row, moved(1)),
            10 => update("1 microsecond earlier", id, row, moved(-1)),
            11 => update("within the day", id, row, Row { time: in_day, ..row }),
            12 => {
                update("to another day", id, row, moved(DAY_US * (1 + step % 400) * if step % 2 == 0 { 1 } else { -1 }))
            }
            // timestamp_hash_extended() folds both halves of a time into one: these two times are alike to it.
            13 => update(
                "to a time that hashes alike",
                id,
                row,
                Row { time: row.time.map(|time| time ^ ((1 << 32) | 1)), ..row },
            ),
            14 => update("no time", id, row, Row { time: None, ..row }),
            15 => swap(
                "values swapped",
                (id, row, Row { value: second.value, ..row }),
                (other, second, Row { value: row.value, ..second }),
            ),
            16 => update("negated", id, row, Row { value: row.value.map(i32::wrapping_neg), ..row }),
            _ => swap(
                "times swapped",
                (id, row, Row { time: second.time, ..row }),
                (other, second, Row { time: row.time, ..second }),
            ),
        }
    }

    fn insert(&mut self, kind: &'static str, row: Row) -> Edit {
        let id = self.next;
        self.next += 1;
        let sql = format!("INSERT INTO entity VALUES ({}, {}, {id})", time(row), value(row));
        Edit { kind, sql, before: Vec::new(), after: [(id, row)].into(), gone: None }
    }

    fn keep(&mut self, edit: Edit) {
        self.rows.extend(edit.after);
        edit.gone.map(|id| self.rows.remove(&id));
    }

    fn insert_all(&self) -> String {
        let rows: Vec<String> =
            self.rows.iter().map(|(id, row)| format!("({}, {}, {id})", time(*row), value(*row))).collect();
        format!("ALTER TABLE entity ADD id bigint; INSERT INTO entity VALUES {}", rows.join(", "))
    }
}

fn time(row: Row) -> String {
    row.time.map_or("NULL".to_string(), |us| {
        let (days, rest) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US));
        format!("timestamp '2000-01-01' + {days} * interval '1 day' + {rest} * interval '1 microsecond'")
    })
}

fn value(row: Row) -> String {
    row.value.map_or("NULL".to_string(), |value| value.to_string())
}

fn set(id: i64, row: Row) -> String {
    format!("UPDATE entity SET created_at = {}, value = {} WHERE id = {id}", time(row), value(row))
}

fn delete(id: i64, row: Row) -> Edit {
    let sql = format!("DELETE FROM entity WHERE id = {id}");
    Edit { kind: "delete", sql, before: vec![row], after: BTreeMap::new(), gone: Some(id) }
}

fn update(kind: &'static str, id: i64, before: Row, after: Row) -> Edit {
    Edit { kind, sql: set(id, after), before: vec![before], after: [(id, after)].into(), gone: None }
}

fn swap(kind: &'static str, one: (i64, Row, Row), other: (i64, Row, Row)) -> Edit {
    if one.0 == other.0 {
        return update(kind, one.0, one.1, one.1);
    }
    Edit {
        kind,
        sql: format!("{}; {}", set(one.0, one.2), set(other.0, other.2)),
        before: vec![one.1, other.1],
        after: [(one.0, one.2), (other.0, other.2)].into(),
        gone: None,
    }
}

fn seed() -> u64 {
    let seed = random::given().unwrap_or(20_240_229);
    eprintln!("KALENDS_SEED={seed}");
    seed
}

/// All accounts as one text, of values of this type.
fn accounts(kind: &str) -> String {
    let found = Found {
        time: Some("timestamp without time zone".to_string()),
        measures: vec![Some(kind.to_string())],
        ..Found::default()
    };
    let model = Model::new(&Entity::default_table().unwrap(), &found).unwrap();
    let days = kit::of_table(DAYS, &model, "public", "entity");
    let account = "concat_ws('|', day, rows, array_to_string(statistics, ',', '-'), hash_a, hash_b)";
    format!("SELECT coalesce(string_agg({account}, ' ' ORDER BY day), '') FROM ({days}) AS accounts")
}

fn only_answer(client: &mut Client, sql: &str) -> String {
    let messages = client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_string),
        _ => None,
    });
    row.unwrap()
}

#[test]
fn of_ten_thousand_random_edits_of_a_row_none_goes_unseen() {
    edited(Table::new(YEAR_2024_US, seed()), "integer", EDITS);
}

#[test]
fn of_two_thousand_edits_of_a_row_of_the_far_future_none_goes_unseen() {
    edited(Table::new(YEAR_12024_US, seed()), "integer", EDITS / 5);
}

#[test]
fn of_two_thousand_edits_of_a_row_of_the_far_past_none_goes_unseen() {
    edited(Table::new(YEAR_44_BC_US, seed()), "integer", EDITS / 5);
}

#[test]
fn of_a_thousand_edits_of_values_of_any_other_type_none_goes_unseen() {
    for kind in ["bigint", "numeric", "double precision"] {
        edited(Table::new(YEAR_2024_US, seed()), kind, EDITS / 10);
    }
}

#[test]
fn a_row_without_a_value_that_moves_by_a_microsecond_is_seen_in_any_year() {
    for time in ["1600-02-29 12:00:00", "0044-03-15 12:00:00 BC", "2300-01-01 12:00:00", "12024-07-04 12:00:00"] {
        let world = World::new();
        world.production_sql(&format!("INSERT INTO entity VALUES ('{time}', NULL)"));
        world.settles();
        world.production_sql("UPDATE entity SET created_at = created_at + interval '1 microsecond'");
        world.heals();
    }
}

fn edited(mut table: Table, kind: &str, edits: usize) {
    let world = World::new();
    world.production_sql(&format!("ALTER TABLE entity ALTER value TYPE {kind}"));
    world.production_sql(&table.insert_all());
    let mut client = Client::connect(&world.production_url, NoTls).unwrap();
    let accounts = accounts(kind);
    let mut before = only_answer(&mut client, &accounts);
    let mut kinds = BTreeMap::<&str, [usize; 2]>::new();
    for number in 0..edits {
        if number % 500 == 0 {
            // What was rolled back is still in the table, and would be read each time.
            client.batch_execute("VACUUM entity").unwrap();
        }
        let edit = table.edit();
        // Every fourth edit stays, so that the table is always another one.
        let (begin, end) = if number % 4 == 0 { ("BEGIN", "COMMIT") } else { ("BEGIN", "ROLLBACK") };
        let after = only_answer(&mut client, &format!("{begin}; {}; {accounts}; {end}", edit.sql));
        let seen = after != before;
        assert_eq!(seen, edit.changes(), "edit {number}, {}: {}\n{before}\n{after}", edit.kind, edit.sql);
        kinds.entry(edit.kind).or_default()[usize::from(seen)] += 1;
        if number % 4 == 0 {
            table.keep(edit);
            before = after;
        }
    }
    let seen: usize = kinds.values().map(|[_, seen]| seen).sum();
    eprintln!(
        "{seen} edits of {edits} changed something, all were seen, and the others were not; by kind (equal, seen): {kinds:?}"
    );
    assert!(seen > edits * 8 / 10, "{seen}");
}

#[test]
fn after_every_batch_of_random_edits_one_run_is_exact() {
    let world = World::new();
    let mut table = Table::new(YEAR_2024_US, seed());
    world.production_sql(&table.insert_all());
    world.settles();
    let rows = "SELECT created_at, value FROM entity WHERE created_at IS NOT NULL ORDER BY 1, 2";
    let (mut batches, mut edits) = (0, 0);
    while batches < BATCHES {
        let before = world.ask_production(rows);
        for _ in 0..=table.below(40) {
            let edit = table.edit();
            world.production_sql(&edit.sql);
            table.keep(edit);
            edits += 1;
        }
        if world.ask_production(rows) == before {
            continue;
        }
        // Rows that move away may be more than half of their month.
        world.kalends("verify").fails_with(3);
        world.settles_by("run --accept-loss");
        batches += 1;
    }
    eprintln!("{batches} batches of {edits} edits: exact after each");
}
