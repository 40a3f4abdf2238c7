//! A plan for people.

use std::cmp::Reverse;

use crate::accounts::{self, Cause};
use crate::report::{self, count, counted};
use crate::steps::{combinations, held, moved};
use crate::sync::plan::{OfDay, OfEntity, Plan, PlannedAccount, PlannedDay};

/// How many lines of each kind are shown; JSON has all.
const SHOWN: usize = 30;

pub(super) fn of(plan: &Plan) -> String {
    let mut lines = Vec::new();
    if plan.nothing_to_do {
        lines.extend(plan.entities.iter().map(|one| {
            // What was not looked at may still differ.
            let days = one.older.as_ref().map_or(String::new(), |older| format!(" from {} on", older.recent_from));
            // Rows are compared by `verify`.
            format!("nothing to do{days}: {} has production's accounts as of {}", one.entity, one.production_as_of)
        }));
        lines.extend(plan.entities.iter().filter_map(older));
    }
    for one in plan.entities.iter().filter(|_| !plan.nothing_to_do) {
        let told = of_entity(one);
        lines.extend(if plan.entities.len() > 1 { report::of_entity(told, &one.entity) } else { told });
    }
    let files = &plan.files;
    if files.any() {
        let (write, remove) = (counted(files.write.len(), "file"), files.remove.len());
        let list = if files.list.is_empty() { String::new() } else { format!(", {} only to list", files.list.len()) };
        lines.push(format!("publish     {write} to write, {remove} to remove{list}"));
        let written = files.write.iter().map(|file| format!("  {:<10}  {}", file.why, file.path));
        lines.extend(shown(written.collect()));
        lines.extend(shown(files.list.iter().map(|path| format!("  {:<10}  {path}", "unlisted")).collect()));
        lines.extend(shown(files.remove.iter().map(|path| format!("  {:<10}  {path}", "remove")).collect()));
    }
    lines.extend(plan.entities.iter().filter_map(|one| report::set_aside(one.set_aside)));
    lines.extend(plan.publishing_refused.as_ref().map(|why| format!("refused     publishing: {why}")));
    lines.join("\n")
}

/// What a run would look at besides, and this plan has not.
fn older(one: &OfEntity) -> Option<String> {
    let older = one.older.as_ref()?;
    let (due, all) = (counted(older.due_rows, "row"), counted(older.rows, "row"));
    let days = counted(older.due_days, "day");
    let from = older.recent_from;
    Some(format!(
        "older       not looked at: {all} before {from}, of which a run would look at {due} of {days}, or more"
    ))
}

fn of_entity(one: &OfEntity) -> Vec<String> {
    let head =
        format!("{} of {}, {}", counted(one.surveyed_rows, "row"), one.entity, counted(one.surveyed_days, "day"));
    let mut lines = vec![format!("surveyed    {head}, as of {}", one.production_as_of)];
    lines.extend(older(one));
    if !one.settled_anew.is_empty() {
        lines.push(format!("rebuild     {}; everything is settled again", one.settled_anew.join(", ")));
    }
    if !one.mended_periods.is_empty() {
        lines.push(format!("repair      {}", report::list(one.mended_periods.iter())));
    }
    lines.extend(held::lines(&one.held, &one.changing, one.accept.as_deref()));
    if !one.days.is_empty() {
        let changes = one.days.iter().map(|day| (day.day, day.cause)).collect();
        let tally = report::tally(&accounts::tally(&changes));
        lines.push(format!("settle      {} ({tally})", counted(one.days.len(), "day")));
        let day = |day: &PlannedDay| {
            let rows = match day.cause {
                Cause::Changed => counted(day.rows.after, "row"),
                _ => format!("{} -> {}", count(day.rows.before), counted(day.rows.after, "row")),
            };
            format!("  {:<10}  {:<9}  {rows}", day.day.to_string(), day.cause.word())
        };
        lines.extend(shown(one.days.iter().map(day).collect()));
    }
    if !one.accounts.is_empty() {
        lines.push(format!("restate     {}", counted(one.accounts.len(), "account")));
        lines.extend(accounts_moving(one));
    }
    for OfDay { day, combinations: moved } in one.combinations.iter().take(SHOWN) {
        let moving = counted(moved.count(), "combination");
        lines.push(format!("move        {moving} of {} on {day}", one.entity));
        lines.extend(combinations::lines(moved, "  "));
    }
    let more = one.combinations.len().saturating_sub(SHOWN) + one.not_looked_into_days;
    if more > 0 {
        let days = if more == 1 { "day" } else { "days" };
        let unseen = one.not_looked_into_days;
        lines.push(format!("  and of {more} more {days}, {unseen} of them not looked into"));
    }
    lines
}

/// The accounts that would change, long periods first, each with the figures of the settings that change.
fn accounts_moving(one: &OfEntity) -> Vec<String> {
    let mut accounts: Vec<&PlannedAccount> = one.accounts.iter().collect();
    accounts.sort_by_key(|account| (Reverse(account.level), account.period));
    let asked = &one.definition.entity.statistics;
    let group = |account: &&PlannedAccount| {
        // Statistics that cannot be read were refused when they were compared.
        let statistics = account.statistics().unwrap_or_default();
        (account.period.to_string(), moved::moved(account.rows, &statistics, Some(asked)))
    };
    let groups: Vec<_> = accounts.iter().take(SHOWN).map(group).collect();
    let mut lines = report::table(&groups, 2);
    lines.extend(more(accounts.len()));
    lines
}

fn shown(mut lines: Vec<String>) -> Vec<String> {
    let more = more(lines.len());
    lines.truncate(SHOWN);
    lines.extend(more);
    lines
}

fn more(all: usize) -> Option<String> {
    let more = i64::try_from(all.saturating_sub(SHOWN)).unwrap_or(i64::MAX);
    (more > 0).then(|| format!("  and {} more; --json has all", count(more)))
}
