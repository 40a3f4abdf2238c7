//! Which file may use which: rooms only those below them, and no two files each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, read};

/// The rooms, as `ARCHITECTURE.md` lists them: each may use those below it. There are no exceptions.
const ROOMS: [&str; 32] = [
    "main",
    "cli",
    "commands",
    "steps",
    "world",
    "flags",
    "sync",
    "checks",
    "adopt",
    "diff",
    "pages",
    "history",
    "show",
    "simulate",
    "exports",
    "production",
    "warehouse",
    "survey",
    "settings",
    "progress",
    "guard",
    "report",
    "entity",
    "accounts",
    "look",
    "db",
    "sql",
    "local",
    "runtime",
    "files",
    "calendar",
    "error",
];

/// A file as the path of its module: `sync::open` of `src/sync/open.rs`.
type Module = Vec<String>;

/// The files of `src`, by module: their code without comments and tests.
fn modules() -> BTreeMap<Module, String> {
    let module = |name: String| -> Module {
        name["src/".len()..name.len() - ".rs".len()].split('/').map(str::to_string).collect()
    };
    let code = |text: String| -> String {
        let code = text.split("#[cfg(test)]").next().unwrap();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
    };
    let all = files("src", ".rs").into_iter().map(|(name, text)| (module(name), code(text)));
    all.filter(|(module, _)| !["lib", "tests"].contains(&module.last().unwrap().as_str())).collect()
}

/// The paths that a `use` names, its braces taken apart.
fn expanded(tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_string()];
    };
    let (mut parts, mut depth, mut part) = (Vec::new(), 0, String::new());
    for c in rest.rsplit_once('}').unwrap().0.chars().chain([',']) {
        match c {
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        part.push(c);
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(&format!("{}{}", head.trim(), part.trim()))).collect()
}

/// The paths that a file shows to others as its own, and those that it uses itself.
fn paths(code: &str) -> (Vec<String>, Vec<String>) {
    let (mut shown, mut used, mut rest) = (Vec::new(), Vec::new(), String::new());
    let mut statements = Vec::<String>::new();
    for line in code.split_inclusive('\n') {
        match statements.last_mut().filter(|last| is_use(last) && !last.trim_end().ends_with(';')) {
            Some(unfinished) => unfinished.push_str(line),
            None => statements.push(line.to_string()),
        }
    }
    for statement in statements {
        match statement.trim().trim_end_matches(';').split_once("use ") {
            Some(("", tree)) if is_use(&statement) => used.extend(expanded(tree)),
            Some((_, tree)) if is_use(&statement) => shown.extend(expanded(tree)),
            _ => rest.push_str(&statement),
        }
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    used.extend(words.filter(|word| word.contains("::")).map(|word| word.trim_matches(':').to_string()));
    (shown, used)
}

fn is_use(statement: &str) -> bool {
    let statement = statement.trim_start();
    ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|start| statement.starts_with(start))
}

/// The file that a path names from within another, and what it names in there.
fn resolved(modules: &BTreeMap<Module, String>, from: &Module, path: &str) -> Option<(Module, Option<String>)> {
    let mut segments = path.split("::").map(str::trim).peekable();
    let mut at = from.clone();
    match *segments.peek()? {
        "crate" => at.clear(),
        "super" | "self" => {}
        child => drop(modules.get(&[from.as_slice(), &[child.to_string()]].concat())?),
    }
    while let Some(step) = segments.next_if(|segment| ["crate", "self", "super"].contains(segment)) {
        if step == "super" {
            at.pop();
        }
    }
    while let Some(segment) = segments.peek() {
        let below = [at.as_slice(), &[(*segment).to_string()]].concat();
        if !modules.contains_key(&below) {
            break;
        }
        at = below;
        segments.next();
    }
    Some((at, segments.next().map(str::to_string)))
}

/// Which files each file uses. What a file shows as its own of another counts as the other's.
fn arrows() -> BTreeMap<Module, BTreeSet<Module>> {
    let modules = modules();
    let found: BTreeMap<&Module, _> = modules.iter().map(|(module, code)| (module, paths(code))).collect();
    let shown = |module: &Module, name: Option<&String>| {
        let paths = &found.get(module)?.0;
        let path = paths.iter().find(|path| path.rsplit("::").next() == name.map(String::as_str))?;
        Some(resolved(&modules, module, path)?.0)
    };
    let uses = |from: &Module, path: &String| {
        let (to, name) = resolved(&modules, from, path)?;
        Some(shown(&to, name.as_ref()).unwrap_or(to)).filter(|to| to != from && !to.is_empty())
    };
    let of = |(from, (_, used)): (&&Module, &(Vec<String>, Vec<String>))| {
        ((*from).clone(), used.iter().filter_map(|path| uses(from, path)).collect())
    };
    found.iter().map(of).collect()
}

fn named(module: &Module) -> String {
    format!("src/{}.rs", module.join("/"))
}

#[test]
fn rooms_use_those_below_them() {
    let at = |module: &Module| {
        let room = ROOMS.iter().position(|room| *room == module[0]);
        room.unwrap_or_else(|| panic!("{} is in no room", named(module)))
    };
    for (from, used) in arrows() {
        for to in used {
            assert!(at(&from) <= at(&to), "{} uses {}: against the arrows", named(&from), named(&to));
            let is_command = |module: &Module| module[0] == "commands" && module.len() > 1;
            let another = is_command(&from) && is_command(&to) && from[1] != to[1];
            assert!(!another, "{} uses another command, {}", named(&from), named(&to));
        }
    }
}

#[test]
fn no_files_go_in_circles() {
    let arrows = arrows();
    assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 400, "the arrows are not seen");
    for start in arrows.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            for to in arrows.get(module).into_iter().flatten() {
                assert!(to != start, "{} comes back to itself through {}", named(start), named(module));
                if seen.insert(to) {
                    next.push(to);
                }
            }
        }
    }
}

#[test]
fn the_rooms_are_those_of_the_architecture() {
    let text = read("ARCHITECTURE.md");
    let table = text.split("## The rooms").nth(1).unwrap().split("## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').nth(1).unwrap());
    let listed = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_string).collect::<Vec<_>>());
    let listed: Vec<String> = listed.filter_map(|name| name.strip_suffix(".rs").map(str::to_string)).collect();
    assert_eq!(listed, ROOMS, "the table of ARCHITECTURE.md");
}

#[test]
fn paths_are_taken_apart() {
    assert_eq!(expanded("crate::{a::{B, c as d}, e}"), ["crate::a::B", "crate::a::c", "crate::e"]);
    let (shown, used) = paths("pub use a::B;\nuse super::{\n    c,\n    d::E,\n};\nfn f() { g::h(crate::i::j()) }\n");
    assert_eq!(shown, ["a::B"]);
    assert_eq!(used, ["super::c", "super::d::E", "g::h", "crate::i::j"]);
}
