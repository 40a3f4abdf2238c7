//! Tests the calendar against known facts.

use super::*;

fn day(year: i32, month: u8, day: u8) -> Day {
    Day::new(year, month, day).unwrap()
}

fn in_tree(period: Period, entity: &str) -> String {
    period.path(Layout::Tree, entity, "csv")
}

#[test]
fn paths_are_not_padded_and_name_bc_and_five_digit_years() {
    let paths = |day: Day| {
        [Period::new(Level::Day, day).unwrap(), day.month(), day.year()].map(|period| in_tree(period, "entity"))
    };
    assert_eq!(
        paths(day(2023, 1, 9)),
        [
            "year=2023/month=1/day=9/entity_stats_daily_2023_1_9.csv",
            "year=2023/month=1/entity_stats_monthly_2023_1.csv",
            "year=2023/entity_stats_yearly_2023.csv",
        ]
    );
    assert_eq!(in_tree(day(-44, 3, 15).year(), "entity"), "year=-44/entity_stats_yearly_-44.csv");
    assert_eq!(in_tree(day(44, 3, 15).year(), "entity"), "year=44/entity_stats_yearly_44.csv");
    assert_eq!(in_tree(day(12024, 12, 31).month(), "entity"), "year=12024/month=12/entity_stats_monthly_12024_12.csv");
}

#[test]
fn in_the_layout_of_hive_each_level_has_a_tree_and_numbers_are_padded() {
    let path = |period: Period, ending| period.path(Layout::Hive, "o", ending);
    let at = |level| day(2023, 1, 9).period(level);
    let hour = Period::from_postgres(Level::Hour, at(Level::Day).first().to_postgres(), 5).unwrap();
    assert_eq!(path(hour, "csv"), "o/csv/hourly/year=2023/month=01/o_stats_hourly_2023_01_09_05.csv");
    assert_eq!(path(at(Level::Day), "csv.gz"), "o/csv.gz/daily/year=2023/month=01/o_stats_daily_2023_01_09.csv.gz");
    assert_eq!(path(at(Level::Week), "csv"), "o/csv/weekly/iso_year=2023/week=02/o_stats_weekly_2023_02.csv");
    assert_eq!(path(at(Level::Month), "csv"), "o/csv/monthly/year=2023/month=01/o_stats_monthly_2023_01.csv");
    assert_eq!(path(at(Level::Quarter), "csv"), "o/csv/quarterly/year=2023/quarter=1/o_stats_quarterly_2023_1.csv");
    assert_eq!(path(at(Level::Year), "csv"), "o/csv/yearly/year=2023/o_stats_yearly_2023.csv");
    assert_eq!(path(day(-44, 3, 15).year(), "csv"), "o/csv/yearly/year=-0044/o_stats_yearly_-0044.csv");
    assert_eq!(path(day(12024, 3, 15).year(), "csv"), "o/csv/yearly/year=12024/o_stats_yearly_12024.csv");
    for period in [hour, at(Level::Day), at(Level::Week), at(Level::Month), at(Level::Quarter), at(Level::Year)] {
        for layout in [Layout::Tree, Layout::Hive] {
            let path = period.path(layout, "o", "csv");
            let (found, below) = Layout::of(&path);
            assert_eq!((found, &below[..=below.rfind('/').unwrap()]), (layout, period.folder(layout).as_str()));
        }
    }
}

#[test]
fn every_day_of_a_thousand_years_is_in_its_own_month_and_year() {
    for days in day(-300, 1, 1).0..day(700, 1, 1).0 {
        let here = Day(days);
        let (year, month, date) = here.year_month_day();
        assert_eq!(day(year, month, date), here);
        assert_eq!(here.month().first(), day(year, month, 1));
        assert_eq!(here.year().first(), day(year, 1, 1));
        assert!(here.month().span().contains(here) && here.year().span().contains(here));
    }
}

#[test]
fn every_day_of_a_thousand_years_is_in_its_own_week_and_quarter() {
    // 300 BC begins with a Friday. (Day 0 of the Julian count was a Monday.)
    let mut week = day(-300, 1, 1).period(Level::Week);
    assert_eq!((day(-300, 1, 1).0 + JULIAN_DAY_OF_2000) % 7, (day(-300, 1, 1).0 - week.first.0) % 7);
    for days in day(-300, 1, 1).0..day(700, 1, 1).0 {
        let here = Day(days);
        if here == week.span().until {
            week = Period { first: here, ..week };
        }
        assert_eq!(here.period(Level::Week), week);
        // A week belongs to the year that contains its Thursday.
        assert_eq!(here.year_week().0, Day(week.first.0 + 3).year_month_day().0);
        let (year, month, _) = here.year_month_day();
        let quarter = here.period(Level::Quarter);
        assert_eq!(quarter.first, day(year, [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10][usize::from(month) - 1], 1));
        assert!(quarter.span().contains(here) && quarter.span().until.period(Level::Quarter) != quarter);
    }
}

#[test]
fn weeks_are_those_of_iso_8601() {
    let path = |day: Day, level| in_tree(day.period(level), "n");
    assert_eq!(path(day(2021, 1, 3), Level::Week), "iso_year=2020/week=53/n_stats_weekly_2020_53.csv");
    assert_eq!(path(day(2024, 12, 30), Level::Week), "iso_year=2025/week=1/n_stats_weekly_2025_1.csv");
    assert_eq!(path(day(-1, 12, 31), Level::Week), "iso_year=-1/week=52/n_stats_weekly_-1_52.csv");
    assert_eq!(path(day(2024, 6, 30), Level::Quarter), "year=2024/quarter=2/n_stats_quarterly_2024_2.csv");
    assert_eq!(day(2021, 1, 3).period(Level::Week).to_string(), "2020-W53");
    assert_eq!(day(2024, 6, 30).period(Level::Quarter).to_string(), "2024-Q2");
    let hour = Period::from_postgres(Level::Hour, 0, 5).unwrap();
    assert_eq!(in_tree(hour, "n"), "year=2000/month=1/day=1/hour=5/n_stats_hourly_2000_1_1_5.csv");
    assert_eq!(hour.to_string(), "2000-01-01T05");
    // The week of PostgreSQL's first January begins in the year before.
    let first = day(-4713, 1, 1).period(Level::Week);
    assert_eq!(Period::from_postgres(Level::Week, first.first.0, 0), Some(first));
    assert_eq!(first.to_string(), "-4713-W01");
    assert_eq!(Period::from_postgres(Level::Week, first.first.0 - 7, 0), None);
    assert_eq!(first.span().day_inside(), day(-4713, 1, 4));
    // The last week ends in the year after.
    let last = day(999_998, 12, 31).period(Level::Week);
    assert_eq!(Period::from_postgres(Level::Week, last.first.0, 0), Some(last));
    assert_eq!(Period::from_postgres(Level::Week, last.first.0 + 7, 0), None);
    assert_eq!(Period::from_postgres(Level::Month, 1, 0), None);
    assert_eq!(Period::from_postgres(Level::Day, 0, 1), None);
}

#[test]
fn a_span_ends_where_the_next_period_starts() {
    assert_eq!(day(2024, 2, 29).month().span(), Span { from: day(2024, 2, 1), until: day(2024, 3, 1) });
    assert_eq!(day(1900, 2, 28).next(), day(1900, 3, 1));
    assert_eq!(day(-1, 12, 31).year().span(), Span { from: day(-1, 1, 1), until: day(1, 1, 1) });
    assert_eq!(day(2023, 12, 31).month().span().until, day(2024, 1, 1));
    assert_eq!(day(2024, 5, 5).year().span().until, day(2025, 1, 1));
    let march = day(2024, 3, 5).month().span();
    let contained =
        [day(2024, 2, 29), day(2024, 3, 1), day(2024, 3, 31), day(2024, 4, 1)].map(|day| march.contains(day));
    assert_eq!(contained, [false, true, true, false]);
}

#[test]
fn postgres_counts_from_2000_and_infinity_is_no_day() {
    assert_eq!(day(2000, 1, 1).to_postgres(), 0);
    assert_eq!(day(1970, 1, 1).to_postgres(), -10957);
    assert_eq!(Day::from_postgres(i32::MAX), None);
    assert_eq!(Day::from_postgres(i32::MIN), None);
    let first = day(-4713, 1, 1).to_postgres();
    assert!(Day::from_postgres(first).is_some() && Day::from_postgres(first - 1).is_none());
    assert_eq!(Day::new(0, 1, 1), None);
    // A day has a next one, and its year has an end.
    for year in [999_998, -4713] {
        assert_eq!(day(year, 12, 31).next().year_month_day().1, 1);
        assert_eq!(day(year, 12, 31).year().span().until, day(year, 12, 31).next());
    }
    for year in [999_999, 1_000_000, -4714, -999_999, i32::MAX, i32::MIN] {
        assert_eq!(Day::new(year, 12, 31), None, "{year}");
    }
    assert_eq!(Period::new(Level::Month, day(2023, 1, 2)), None);
}

#[test]
fn days_and_periods_read_as_people_write_them() {
    assert_eq!(day(2023, 3, 1).to_string(), "2023-03-01");
    assert_eq!(day(-44, 3, 15).to_string(), "-0044-03-15");
    assert_eq!(day(2023, 3, 1).month().to_string(), "2023-03");
}

#[test]
fn levels_have_their_words_and_their_parts() {
    let words = Level::ALL.map(|level| (level.word(), level.adverb(), level.part().map(Level::word)));
    let expected = [
        ("hour", "hourly", None),
        ("day", "daily", None),
        ("week", "weekly", Some("day")),
        ("month", "monthly", Some("day")),
        ("quarter", "quarterly", Some("month")),
        ("year", "yearly", Some("month")),
    ];
    assert_eq!(words, expected);
}

#[test]
fn folders_and_reports_name_periods_as_files_do() {
    assert_eq!(day(2024, 2, 29).month().folder(Layout::Tree), "year=2024/month=2/");
    assert_eq!(day(2024, 2, 29).plus(-31).year().folder(Layout::Tree), "year=2024/");
    assert_eq!(day(2024, 2, 29).plus(1), day(2024, 3, 1));
    assert_eq!(day(2024, 2, 29).month().level(), Level::Month);
    let both = serde_json::to_string(&(day(2024, 2, 29), day(2024, 2, 29).month())).unwrap();
    assert_eq!(both, r#"["2024-02-29","2024-02"]"#);
}

#[test]
fn an_hour_is_one_of_24_of_its_day() {
    let hour = Period::from_postgres(Level::Hour, 1, 23).unwrap();
    assert_eq!(hour.span(), Span { from: day(2000, 1, 2), until: day(2000, 1, 3) });
    assert_eq!(Period::from_postgres(Level::Hour, 1, 24), None);
    let final_day = day(999_998, 12, 31).to_postgres();
    assert!(Day::from_postgres(final_day).is_some() && Day::from_postgres(final_day + 1).is_none());
}
