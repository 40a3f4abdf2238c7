//! What is left as it was settled, in words.

use crate::guard::{Kind, Noted};
use crate::report::counted;

/// Lines for people about what was left.
pub(super) fn lines(held: &[Noted], changing: &[Noted], accept: Option<&str>) -> Vec<String> {
    let (of_months, of_all): (Vec<&Noted>, Vec<&Noted>) = held.iter().partition(|noted| noted.kind == Kind::Loss);
    let mut lines: Vec<String> =
        of_months.iter().map(|noted| format!("held        {}: {}", noted.unit, noted.reason)).collect();
    // One reason for all of them, which need not be repeated.
    if let Some(first) = of_all.first() {
        let units = counted(of_all.len(), first.unit.level().word());
        lines.push(format!("held        {units} from {} on: {}", first.unit, first.reason));
    }
    lines.extend(accept.map(accepting));
    lines.extend(changing.iter().map(|noted| format!("changing    {} since {}", noted.unit, noted.since)));
    lines
}

/// The line below, with the command that accepts it.
pub(super) fn accepting(command: &str) -> String {
    format!("            to accept this: {command}")
}
