use super::*;
use crate::accounts::Account;

#[test]
fn a_share_is_exceeded_by_more_than_it_and_by_nothing_less() {
    let held = |loss: &str, before, now| loss.parse::<Loss>().unwrap().is_exceeded(before, now);
    assert!(!held("50%", 10, 5) && held("50%", 10, 4) && held("50%", 1, 0) && !held("50%", 0, 0));
    assert!(held("0%", 10, 9) && !held("0%", 10, 10) && !held("0%", 10, 11));
    assert!(!held("100%", 10, 0) && held("99.9999%", 10, 0) && !held("99.9999%", 10, 1));
    assert!(!held("12.5%", 8, 7) && held("12.5%", 800, 699));
    assert!(held("50%", i64::MAX, i64::MAX / 2 - 1));
    for wrong in ["50", "%", "-1%", "100.1%", "101%", "1e1%", "0.00001%", ".5%", "99999999999%"] {
        assert!(wrong.parse::<Loss>().is_err(), "{wrong}");
    }
}

fn account(rows: i64) -> Account {
    Account { rows, statistics: Vec::new(), hash_a: rows.to_string(), hash_b: String::new() }
}

fn of(days: &[(&str, i64)]) -> Accounts {
    days.iter().map(|(day, rows)| (day.parse::<Period>().unwrap().first(), account(*rows))).collect()
}

#[test]
fn what_is_accepted_is_settled_and_the_rest_is_measured_by_what_it_leaves() {
    let kept = of(&[("2024-01-01", 90), ("2024-01-02", 10), ("2024-02-01", 5), ("2024-02-02", 5)]);
    let survey = of(&[("2024-01-02", 9), ("2024-02-01", 1), ("2024-02-02", 1), ("2024-03-01", 1)]);
    let source = Source {
        identity: Identity { system_identifier: "1".into(), database_oid: 1 },
        position: 5,
        as_of: "now".into(),
    };
    let before = Before::default();
    let seen = Seen { survey: &survey, kept: &kept, source: &source, before: &before, now: Moment(0), today: None };
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
    // Without the first day, the second loses a tenth and not nine tenths.
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
