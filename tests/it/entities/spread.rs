//! The standard deviation.

use super::{Asked, NUMBERS, settles};
use crate::kit::World;

const ALL: [&str; 6] = ["sum", "min", "max", "mean", "count", "stddev"];

fn numbers(world: &World) -> Asked<'static> {
    let columns: Vec<String> = NUMBERS.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, {})", columns.join(", ")));
    let asked = Asked { measures: &NUMBERS, statistics: &ALL, ..Asked::default() };
    world.settings(asked.settings());
    asked
}

#[test]
fn the_deviation_of_every_type_is_exact() {
    let world = World::new();
    let asked = numbers(&world);
    world.production_sql(
        "INSERT INTO t VALUES
         ('2024-01-01', 32767, 2147483647, 9223372036854775807, 12345678901234567890.123400, 0.1, 0.1),
         ('2024-01-01', 32766, 2147483646, 9223372036854775806, 12345678901234567890.123401, 0.2, 0.2),
         ('2024-01-01', -32768, -2147483648, -9223372036854775808, -1e-30, 1e38, 1e308),
         ('2024-01-02', NULL, NULL, NULL, NULL, NULL, NULL),
         ('2024-01-03', 5, 5, 5, 5, 5, 5),
         ('2024-01-04', 7, 7, 7, 0.1, 0.1, 1e-300), ('2024-01-04', 7, 7, 7, 0.1, 0.1, 3e-300),
         ('2024-02-01', 7, 7, 7, 1e15, 1e15, 1e15), ('2024-02-01', 8, 8, 8, 1000000000000001, 1e15, 1000000000000001)",
    );
    settles(&world);
    asked.is_exact(&world);
    // Each value twice keeps mean, smallest and largest of the day, and not the deviation.
    world.production_sql(
        "UPDATE t SET whole = 6 WHERE at = '2024-01-04' AND ctid = (SELECT max(ctid) FROM t WHERE at = '2024-01-04')",
    );
    world.kalends("verify").fails_with(3);
    settles(&world);
    asked.is_exact(&world);
}

#[test]
fn of_less_than_two_values_there_is_no_deviation() {
    let world = World::new();
    world.production_sql("CREATE TABLE t (at timestamp, n integer)");
    world.settings(
        Asked { measures: &[("n", "integer")], statistics: &["count", "stddev"], ..Asked::default() }.settings(),
    );
    world.production_sql("INSERT INTO t VALUES ('2024-01-01', 5), ('2024-01-01', NULL), ('2024-01-02', 5)");
    settles(&world);
    let path = "year=2024/month=1/day=1/t_stats_daily_2024_1_1.csv";
    world.file(path, "year,month,day,count_n,stddev_n\n2024,1,1,1,");
    world.file("year=2024/month=1/t_stats_monthly_2024_1.csv", "year,month,count_n,stddev_n\n2024,1,2,0.000000");
    world.production_sql("UPDATE t SET n = 6 WHERE n IS NULL");
    settles(&world);
    // The root of one half.
    world.file(path, "year,month,day,count_n,stddev_n\n2024,1,1,2,0.707107");
}

#[test]
fn a_deviation_between_two_decimals_is_rounded_up() {
    let world = World::new();
    world.production_sql("CREATE TABLE t (at timestamp, n numeric)");
    world.settings(Asked { measures: &[("n", "numeric")], statistics: &["stddev"], ..Asked::default() }.settings());
    // Of -x, 0 and x it is x.
    for (day, x) in [(1, "0.0000005"), (2, "0.00000049999999999999999999"), (3, "1.0000025"), (4, "123456789.9999995")]
    {
        world.production_sql(&format!(
            "INSERT INTO t SELECT '2024-01-0{day}', {x} * s FROM generate_series(-1, 1) AS s"
        ));
    }
    settles(&world);
    for (day, deviation) in [(1, "0.000001"), (2, "0.000000"), (3, "1.000003"), (4, "123456790.000000")] {
        let path = format!("year=2024/month=1/day={day}/t_stats_daily_2024_1_{day}.csv");
        world.file(&path, &format!("year,month,day,stddev_n\n2024,1,{day},{deviation}"));
    }
}

#[test]
fn the_deviation_of_what_has_no_end_is_not_a_number() {
    let world = World::new();
    let asked = numbers(&world);
    for (day, value) in
        [(1, "NaN"), (1, "5"), (2, "NaN"), (3, "Infinity"), (3, "-2"), (4, "-Infinity"), (4, "Infinity")]
    {
        world.production_sql(&format!(
            "INSERT INTO t VALUES ('2024-01-0{day}', 1, 1, 1, '{value}', '{value}', '{value}')"
        ));
    }
    settles(&world);
    asked.is_exact(&world);
}
