//! The list of faults: each has its number, and a test that is there or a reason.

use std::collections::BTreeMap;

use super::{read, root, tests};

#[test]
fn every_fault_names_tests_that_exist_or_says_why_there_is_none() {
    let text = read("tests/README.md");
    let (tests, mut numbers) = (tests(), BTreeMap::<String, usize>::new());
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", id, happens, holds, shown, ""] = cells.as_slice() else { panic!("{row} has no four columns") };
        let (section, number) = id.split_at(1);
        let known = numbers.entry(section.to_string()).or_default();
        *known += 1;
        assert_eq!(number, known.to_string(), "{section} is not numbered in order");
        assert!(!happens.is_empty() && !holds.is_empty(), "{id} says too little");
        // Names stand between backticks: tests with ::, files with /. All else is a word.
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        for name in names.iter().filter(|name| name.contains("::")) {
            let is_there =
                tests.contains(*name) || name.ends_with("::") && tests.iter().any(|test| test.starts_with(*name));
            assert!(is_there, "tests/README.md names {name} for {id}, which is no test");
        }
        let is_file = |name: &&&str| !name.contains("::") && (name.contains('/') || name.ends_with(".toml"));
        for name in names.iter().filter(is_file) {
            assert!(root().join(name).exists(), "tests/README.md names {name} for {id}, which is no file");
        }
        let is_shown = names.iter().any(|name| name.contains("::")) || names.iter().any(|name| is_file(&name));
        assert!(is_shown || shown.starts_with("not tested: "), "nothing shows {id}, and no reason is given");
    }
    assert_eq!(numbers.keys().map(String::as_str).collect::<String>(), "ABCDEFGHSX");
    assert!(numbers.values().sum::<usize>() >= 161, "{numbers:?}");
}
