//! The worked example of `docs/guides/losses.md` is what happens.

use crate::kit::World;

const PAGE: &str = include_str!("../../../docs/guides/losses.md");

/// Without what is another each time: times, durations, and how far apart columns are.
fn plain(line: &str) -> String {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let words = line.split_whitespace().map(|word| {
        let is_duration = word.split_once('.').is_some_and(|(s, part)| digits(s) && digits(part) && part.len() == 2);
        let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let is_time = ["0000-00-00", "00:00:00"].contains(&shape.as_str());
        if is_duration || is_time { "?".to_string() } else { word.to_string() }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_worked_example_is_what_happens() {
    let world = World::new();
    let example = PAGE.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let (mut shown, mut found, mut code, mut typed) = (Vec::new(), Vec::new(), None, 0);
    for line in example.lines().filter(|line| !line.is_empty()) {
        if let Some(command) = line.strip_prefix("$ ") {
            assert_eq!(found, shown, "before `{command}`");
            shown.clear();
            found.clear();
            typed += 1;
            if let Some(arguments) = command.strip_prefix("kalends ") {
                let ran = world.kalends(arguments);
                let lines = ran.stderr.lines().chain(ran.stdout.lines());
                let folder = world.exports.display().to_string();
                found = lines.map(|line| plain(&line.replace(&folder, "exports"))).collect();
                code = ran.code;
            } else if let Some(sql) = command.strip_prefix("psql production -c \"") {
                world.production_sql(sql.strip_suffix('"').unwrap());
            } else {
                assert_eq!(command, "echo $?");
                found = vec![code.unwrap().to_string()];
            }
        } else {
            shown.push(plain(line));
        }
    }
    assert_eq!(found, shown);
    assert!(typed >= 8, "{typed} lines were typed");
}
