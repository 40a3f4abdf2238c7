use super::*;
use crate::accounts::Account;

/// A survey of all days beside the ledger, at a moment in microseconds and on a day.
fn seen<'a>(
    (ledger, survey): (&'a Accounts, &'a Accounts),
    before: &'a Before,
    source: &'a Source,
    (now, today): (i64, Option<Day>),
) -> Seen<'a> {
    Seen { survey, ledger, is_all: true, source, before, now: Moment(now), today }
}

#[test]
fn a_share_is_exceeded_by_more_than_it_and_by_nothing_less() {
    let held = |loss: &str, before, now| loss.parse::<Loss>().unwrap().is_exceeded(before, now);
    assert!(!held("50%", 10, 5) && held("50%", 10, 4) && held("50%", 1, 0) && !held("50%", 0, 0));
    assert!(held("0%", 10, 9) && !held("0%", 10, 10) && !held("0%", 10, 11));
    assert!(!held("100%", 10, 0) && held("99.9999%", 10, 0) && !held("99.9999%", 10, 1));
    assert!(!held("12.5%", 8, 7) && held("12.5%", 800, 699));
    assert!(held("50%", i64::MAX, i64::MAX / 2 - 1));
    for wrong in ["50", "%", "-1%", "100.1%", "101%", "1e1%", "0.00001%", ".5%", "99999999999%", "+5%", "1.+5%"] {
        assert!(wrong.parse::<Loss>().is_err(), "{wrong}");
    }
}

fn account(rows: i64) -> Account {
    Account::new(rows, [&rows.to_string(), "0"], []).unwrap()
}

fn of(days: &[(&str, i64)]) -> Accounts {
    days.iter().map(|(day, rows)| (day.parse::<Period>().unwrap().first(), account(*rows))).collect()
}

#[test]
fn what_is_accepted_is_settled_and_the_rest_is_measured_by_what_it_leaves() {
    let ledger = of(&[("2024-01-01", 90), ("2024-01-02", 10), ("2024-02-01", 5), ("2024-02-02", 5)]);
    let survey = of(&[("2024-01-02", 9), ("2024-02-01", 1), ("2024-02-02", 1), ("2024-03-01", 1)]);
    let (before, source) = (Before::default(), source("1", 5));
    let seen = seen((&ledger, &survey), &before, &source, (0, None));
    let rules = Rules { loss: "50%".parse().unwrap(), settle_after: None };
    let left = |accepted: Accepted| -> Vec<String> {
        let judged = judge(&seen, &rules, &accepted);
        assert!(judged.target.contains_key(&"2024-03-01".parse::<Period>().unwrap().first()));
        judged.left.iter().map(Day::to_string).collect()
    };
    let periods = |texts: &[&str]| Accepted::Periods(texts.iter().map(|text| text.parse().unwrap()).collect());
    let (january, february) = (["2024-01-01", "2024-01-02"], ["2024-02-01", "2024-02-02"]);
    assert_eq!(left(Accepted::Nothing), [january, february].concat());
    assert_eq!(left(periods(&["2024-01"])), february);
    // Without the first day, the second loses a tenth, not nine tenths.
    assert_eq!(left(periods(&["2024-01-01"])), february);
    assert_eq!(left(periods(&["2024-02-01"])), [january.as_slice(), &february[1..]].concat());
    assert_eq!(left(periods(&["2024"])), Vec::<String>::new());
    assert_eq!(left(Accepted::Everything), Vec::<String>::new());
}

#[test]
fn the_command_names_months_and_puts_a_sign_where_it_is_no_flag() {
    let noted = |unit: &str, kind| Noted {
        unit: unit.parse().unwrap(),
        kind,
        reason: String::new(),
        rows_before: 1,
        rows_now: 0,
        since: Moment(0),
        digest: None,
    };
    let command = |noted: &[Noted]| accepting(noted.iter());
    let loss = [noted("2024-03", Kind::Loss), noted("-0044-03", Kind::Loss), noted("2024-05-06", Kind::Loss)];
    let said = "kalends run --accept-loss 2024-03 2024-05 --accept-loss=-0044-03";
    assert_eq!(command(&loss).as_deref(), Some(said));
    assert_eq!(command(&[noted("2024-03", Kind::Changing)]), None);
    assert_eq!(command(&[noted("2024-03", Kind::Empty)]).as_deref(), Some("kalends run --accept-loss"));
}

#[test]
fn a_moment_reads_as_people_write_it() {
    assert_eq!(Moment(1_700_000_000_999_999).to_string(), "2023-11-14 22:13:20 UTC");
    assert_eq!(Moment(-1).to_string(), "1969-12-31 23:59:59 UTC");
}

fn source(identity: &str, position: u64) -> Source {
    let identity = Identity { system_identifier: identity.into(), database_oid: 1 };
    Source { identity, position, at_least: position, as_of: format!("moment {position}") }
}

/// Judges a survey. If `today` is given, `settle_after` is ten seconds.
fn judged(ledger: &Accounts, survey: &Accounts, before: &Before, now: i64, today: Option<&str>) -> Judged {
    let source = source("1", 5);
    let today = today.map(|day| day.parse::<Period>().unwrap().first());
    let settle_after = today.map(|_| std::time::Duration::from_secs(10));
    let seen = seen((ledger, survey), before, &source, (now, today));
    judge(&seen, &Rules { loss: "50%".parse().unwrap(), settle_after }, &Accepted::Nothing)
}

fn told(judged: &Judged) -> Vec<(String, Kind, String)> {
    judged.noted.iter().map(|noted| (noted.unit.to_string(), noted.kind, noted.reason.clone())).collect()
}

#[test]
fn what_changes_is_settled_when_it_has_stayed_the_same_for_long_enough() {
    let (ledger, survey) = (of(&[]), of(&[("2024-01-31", 1), ("2024-02-01", 2), ("2024-02-02", 3)]));
    let seen = judged(&ledger, &survey, &Before::default(), 1_000_000, Some("2024-02-01"));
    let changing = |unit: &str| (unit.to_string(), Kind::Changing, "is changing".to_string());
    // January has ended, so it is one unit. In February, each day is a unit.
    assert_eq!(told(&seen), ["2024-01", "2024-02-01", "2024-02-02"].map(changing));
    assert_eq!((seen.target.clone(), seen.left.len(), seen.is_source), (of(&[]), 3, true));
    assert_eq!(
        seen.noted.iter().map(|noted| (noted.rows_before, noted.rows_now)).collect::<Vec<_>>(),
        [(0, 1), (0, 2), (0, 3)]
    );

    let before = Before { source: None, noted: seen.noted };
    // A microsecond too early; with a day that has changed meanwhile; then in time.
    let early = judged(&ledger, &survey, &before, 10_999_999, Some("2024-02-01"));
    assert_eq!(early.noted.iter().map(|noted| noted.since).collect::<Vec<_>>(), [Moment(1_000_000); 3]);
    let other = of(&[("2024-01-31", 1), ("2024-02-01", 2), ("2024-02-02", 4)]);
    let seen = judged(&ledger, &other, &before, 11_000_000, Some("2024-02-01"));
    assert_eq!(told(&seen), [changing("2024-02-02")]);
    assert_eq!(
        (seen.noted[0].since, seen.target.clone()),
        (Moment(11_000_000), of(&[("2024-01-31", 1), ("2024-02-01", 2)]))
    );
    assert!(judged(&ledger, &survey, &before, 11_000_000, Some("2024-02-01")).noted.is_empty());
}

#[test]
fn another_production_and_an_earlier_one_are_held_where_anything_differs() {
    let (ledger, survey) = (of(&[("2024-01-01", 2)]), of(&[("2024-01-01", 2), ("2024-02-01", 2)]));
    let of_source = |identity: &str, position| {
        let before = Before { source: Some(source(identity, position)), noted: Vec::new() };
        let seen = judged(&ledger, &survey, &before, 0, None);
        let kinds: Vec<_> = told(&seen).into_iter().map(|(unit, kind, reason)| (unit, (kind, reason))).collect();
        (kinds, seen.is_source)
    };
    let held = |kind, reason: &str| (vec![("2024-02".to_string(), (kind, reason.to_string()))], false);
    let other = held(Kind::Other, "production is another database than the one that was settled");
    assert_eq!((of_source("2", 4), of_source("2", 6)), (other.clone(), other));
    let earlier = "production is older than what was settled of it, as of moment 6";
    assert_eq!(of_source("1", 6), held(Kind::Earlier, earlier));
    assert_eq!((of_source("1", 5), of_source("1", 4)), ((vec![], true), (vec![], true)));
    let before = Before { source: Some(source("2", 5)), noted: Vec::new() };
    assert!(judged(&ledger, &ledger, &before, 0, None).noted.is_empty());
}

#[test]
fn an_accepted_day_that_is_still_changing_counts_as_it_was_settled() {
    let ledger = of(&[("2024-01-01", 100), ("2024-01-02", 10)]);
    let survey = of(&[("2024-01-01", 1), ("2024-01-02", 4)]);
    let waiting =
        judged(&ledger, &of(&[("2024-01-01", 100), ("2024-01-02", 4)]), &Before::default(), 0, Some("2024-01-09"));
    let (before, source) = (Before { source: None, noted: waiting.noted }, source("1", 5));
    let today = Some("2024-01-09".parse::<Period>().unwrap().first());
    let seen = seen((&ledger, &survey), &before, &source, (10_000_000, today));
    let rules = Rules { loss: "50%".parse().unwrap(), settle_after: Some(std::time::Duration::from_secs(10)) };
    let first = Accepted::Periods(vec!["2024-01-01".parse().unwrap()]);
    // Of 110 rows, 104 are left: the second day is no loss, as long as the first keeps its 100.
    assert_eq!(
        told(&judge(&seen, &rules, &first)),
        [("2024-01-01".to_string(), Kind::Changing, "is changing".to_string())]
    );
}

#[test]
fn what_is_held_is_told_with_its_rows_and_since_when() {
    let ledger = of(&[("2024-01-01", 6), ("2024-01-02", 6), ("2024-02-01", 1)]);
    let survey = of(&[("2024-01-01", 5)]);
    let first = judged(&ledger, &survey, &Before::default(), 7, None);
    let loss = |unit: &str, reason: &str| (unit.to_string(), Kind::Loss, reason.to_string());
    assert_eq!(told(&first), [loss("2024-01", "5 of 12 rows are left"), loss("2024-02", "none of 1 row is left")]);
    assert_eq!((first.target.clone(), first.is_source), (ledger.clone(), true));
    let again = judged(&ledger, &survey, &Before { source: None, noted: first.noted }, 9, None);
    assert_eq!(again.noted.iter().map(|noted| noted.since).collect::<Vec<_>>(), [Moment(7); 2]);
    let mut later = again.noted.clone();
    later[1].since = Moment(8);
    let each = judged(&ledger, &survey, &Before { source: None, noted: later }, 9, None);
    assert_eq!(each.noted.iter().map(|noted| noted.since).collect::<Vec<_>>(), [Moment(7), Moment(8)]);

    let empty = judged(&ledger, &of(&[]), &Before { source: None, noted: again.noted }, 11, None);
    assert!(told(&empty).iter().all(|(_, kind, reason)| *kind == Kind::Empty && reason == "production holds no rows"));
    // With another reason, the time starts again.
    assert_eq!(empty.noted.iter().map(|noted| noted.since).collect::<Vec<_>>(), [Moment(11); 2]);
    // In a month that has not ended, days are held, with their month in the reason.
    let noted = judged(&ledger, &survey, &Before::default(), 0, Some("2024-01-02")).noted;
    let stable = Before { source: None, noted };
    let days = judged(&ledger, &survey, &stable, 10_000_000, Some("2024-01-02"));
    assert_eq!(told(&days)[0], loss("2024-01-01", "5 of 12 rows are left in 2024-01"));
}

#[test]
fn kinds_and_what_is_typed_are_read_as_they_are_written() {
    let kinds = [Kind::Changing, Kind::Loss, Kind::Empty, Kind::Earlier, Kind::Other];
    assert_eq!(kinds.map(Kind::word), ["changing", "loss", "empty", "earlier", "other"]);
    assert!(kinds.into_iter().all(|kind| Kind::of(kind.word()) == Some(kind)) && Kind::of("lost").is_none());
    let january = "2024-01".parse::<Period>().unwrap();
    assert_eq!(Accepted::of(None), Accepted::Nothing);
    assert_eq!(Accepted::of(Some(vec![])), Accepted::Everything);
    assert_eq!(Accepted::of(Some(vec![january])), Accepted::Periods(vec![january]));
    assert_eq!(serde_json::to_string(&Moment(0)).unwrap(), "\"1970-01-01 00:00:00 UTC\"");
}
