//! What is left as it was settled: held or still changing, in words.

use crate::error::Refusal;
use crate::guard::{Kind, Noted};
use crate::report::counted;

/// Lines for people about what was left.
pub fn lines(held: &[Noted], changing: &[Noted], accept: Option<&str>) -> Vec<String> {
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

/// The line with the command that accepts what is held.
pub fn accepting(command: &str) -> String {
    format!("            to accept this: {command}")
}

/// The refusal that a run ends with if a part of an entity is held, with the command that accepts it; `None` if nothing
/// is held.
pub fn refusal(entity: &str, held: &[Noted], accept: Option<&str>) -> Option<anyhow::Error> {
    let (gravest, accept) = (held.iter().max_by_key(|noted| noted.kind)?, accept?);
    let units = counted(held.len(), gravest.unit.level().word());
    let what = match (gravest.kind, held) {
        (Kind::Loss, [only]) => format!("{} is held: {}", only.unit, only.reason),
        (Kind::Loss, _) => format!("{units} are held, {} the first of them: {}", held[0].unit, gravest.reason),
        _ => format!("{units} held: {}", gravest.reason),
    };
    Some(Refusal::refused(
        format!("entity \"{entity}\": {what}"),
        format!("To accept this, run `{accept}`; until then it stays as it was settled."),
    ))
}
