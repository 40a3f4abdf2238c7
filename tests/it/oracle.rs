//! What the files must say, computed from rows by other means than the warehouse's: text and whole numbers.

use std::collections::BTreeMap;

/// Values of one period; `None` is NULL.
type Values = Vec<Option<i128>>;

/// The files for rows written as `2023-01-31 10:00:00|5`, `0044-03-15 00:00:00 BC|` and the like.
pub fn files(rows: &[String]) -> BTreeMap<String, String> {
    let mut periods = BTreeMap::<(String, String), Values>::new();
    for row in rows {
        let (time, value) = row.split_once('|').unwrap();
        let value = if value.is_empty() { None } else { Some(value.parse().unwrap()) };
        let (year, month, day) = date(time);
        let folder = format!("year={year}");
        let yearly = format!("{folder}/entity_stats_yearly_{year}.csv");
        let monthly = format!("{folder}/month={month}/entity_stats_monthly_{year}_{month}.csv");
        let daily = format!("{folder}/month={month}/day={day}/entity_stats_daily_{year}_{month}_{day}.csv");
        let keys = [
            (yearly, format!("year,{STATISTICS}\n{year}")),
            (monthly, format!("year,month,{STATISTICS}\n{year},{month}")),
            (daily, format!("year,month,day,{STATISTICS}\n{year},{month},{day}")),
        ];
        for key in keys {
            periods.entry(key).or_default().push(value);
        }
    }
    periods.into_iter().map(|((path, head), values)| (path, format!("{head},{}\n", statistics(&values)))).collect()
}

const STATISTICS: &str = "sum_values,min_values,max_values,mean_values";

fn date(time: &str) -> (i64, u32, u32) {
    let (date, _) = time.split_once(' ').unwrap();
    let parts: Vec<&str> = date.split('-').collect();
    let year: i64 = parts[0].parse().unwrap();
    let era = if time.ends_with(" BC") { -1 } else { 1 };
    (year * era, parts[1].parse().unwrap(), parts[2].parse().unwrap())
}

fn statistics(values: &[Option<i128>]) -> String {
    let values: Vec<i128> = values.iter().flatten().copied().collect();
    let (Some(min), Some(max)) = (values.iter().min(), values.iter().max()) else { return ",,,".to_string() };
    let sum: i128 = values.iter().sum();
    format!("{sum},{min},{max},{}", mean(sum, values.len().try_into().unwrap()))
}

/// sum / count, rounded half away from zero to 6 decimals.
fn mean(sum: i128, count: i128) -> String {
    let millionths = (2 * 1_000_000 * sum.abs() + count) / (2 * count);
    let sign = if sum < 0 && millionths != 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

#[test]
fn the_mean_is_rounded_half_away_from_zero() {
    assert_eq!(mean(1, 3), "0.333333");
    assert_eq!(mean(2, 3), "0.666667");
    assert_eq!(mean(-1, 2_000_000), "-0.000001");
    assert_eq!(mean(1, 2_000_001), "0.000000");
    assert_eq!(mean(3_452_878, 17860), "193.330235");
}
