//! The pages: their links lead somewhere, and readers find them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{files, read, root};

const OUTSIDE_OF_DOCS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "COMMENTS.md", "CONTRIBUTING.md"];

/// All pages by their path, without what stands in code blocks.
fn pages() -> BTreeMap<String, String> {
    let outside = OUTSIDE_OF_DOCS.into_iter().map(|name| (name.to_string(), read(name)));
    let pages = files("docs", ".md").into_iter().chain(outside);
    pages.map(|(name, text)| (name, without_code(&text))).collect()
}

fn without_code(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced && !line.starts_with("    ")
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The targets of a page's links, `](target)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// The names under which a page's headings are linked to, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A path without `..`, from the project's folder on.
fn resolved(page: &str, target: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{page}: {target} leads out of the project"),
            part => path.push(part),
        }
    }
    path.display().to_string()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let pages = pages();
    let mut followed = 0;
    for (name, text) in &pages {
        for link in links(text).into_iter().filter(|link| !link.contains("://")) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if target.is_empty() { name.clone() } else { resolved(name, target) };
            assert!(root().join(&path).exists(), "{name} links to {link}, which is no file");
            if !anchor.is_empty() {
                let known = anchors(&pages[&path]);
                assert!(known.contains(anchor), "{name} links to {link}: {path} has {known:?}");
            }
            followed += 1;
        }
    }
    assert!(followed >= 50, "only {followed} links were followed");
}

#[test]
fn every_page_has_one_title_and_is_in_the_index() {
    let index = read("docs/README.md");
    for (name, text) in pages().iter().filter(|(name, _)| name.starts_with("docs/")) {
        let titles = text.lines().filter(|line| line.starts_with("# ")).count();
        assert_eq!(titles, 1, "{name} has {titles} titles");
        assert!(text.starts_with("# "), "{name} does not begin with its title");
        let link = format!("]({})", name.trim_start_matches("docs/"));
        assert!(name == "docs/README.md" || index.contains(&link), "docs/README.md does not link to {name}");
    }
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("book/SUMMARY.md");
    let chapters: BTreeSet<&str> = links(&summary).into_iter().collect();
    for name in pages().keys().filter(|name| name.starts_with("docs/")) {
        assert!(chapters.contains(name.as_str()), "book/SUMMARY.md has no chapter {name}");
    }
    for chapter in chapters {
        assert!(root().join(chapter).is_file(), "book/SUMMARY.md has a chapter {chapter}, which is no file");
    }
}

#[test]
fn the_guide_shows_the_units_of_the_examples() {
    let guide = read("docs/guides/schedule.md");
    for unit in ["kalends.service", "kalends.timer"] {
        let block = format!("```ini\n{}```\n", read(&format!("examples/systemd/{unit}")));
        assert!(guide.contains(&block), "docs/guides/schedule.md does not show {unit} as it is");
    }
}

#[test]
fn the_readme_can_be_read_in_one_go() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 130, "README.md has {} lines", readme.lines().count());
    for line in readme.lines().filter(|line| line.starts_with('|')) {
        assert!(line.chars().count() <= 110, "README.md: {line}");
    }
}
