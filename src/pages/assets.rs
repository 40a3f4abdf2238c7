//! What pages are made of: templates, a style, a script, and what is packed into them. A page fetches nothing.

use std::io::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::Result;

const PLOT_STYLE: &str = include_str!("../../web/uplot/uPlot.min.css");
const PAGE_STYLE: &str = include_str!("../../web/page.css");
const PLOT: &str = include_str!("../../web/uplot/uPlot.iife.min.js");
const SCRIPT: &str = include_str!("../../web/page.js");

/// Before the page is shown.
pub(super) const EARLY: &str = include_str!("../../web/early.js");

/// All styles of a page.
pub(super) static STYLE: LazyLock<String> = LazyLock::new(|| format!("{PLOT_STYLE}\n{PAGE_STYLE}"));

/// All scripts of a page: a library for plots, and ours.
pub(super) static SCRIPTS: LazyLock<String> = LazyLock::new(|| format!("{PLOT}\n{SCRIPT}"));

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates.set_syntax(minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // Everything is escaped, but what this room has made itself.
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    templates.add_template("head.html", include_str!("../../web/head.html"))?;
    templates.add_template("page.html", include_str!("../../web/page.html"))?;
    templates.add_template("index.html", include_str!("../../web/index.html"))?;
    Ok(templates)
});

/// What a browser may do with a page: run these scripts, apply these styles, and fetch nothing.
pub(super) fn policy(scripts: &[&str], style: &str) -> String {
    let allowed = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let scripts = scripts.iter().map(|script| allowed(script)).collect::<Vec<_>>();
    let scripts = if scripts.is_empty() { "'none'".to_string() } else { scripts.join(" ") };
    format!(
        "default-src 'none'; script-src {scripts}; style-src {}; base-uri 'none'; form-action 'none'",
        allowed(style)
    )
}

/// A page from its template.
///
/// # Errors
/// If the template uses something that there is not, which is a bug.
pub(super) fn rendered(template: &str, of: &impl Serialize) -> Result<Vec<u8>> {
    let templates = TEMPLATES.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let value = Value::from(Serde(of));
    Ok(templates.get_template(template)?.render(value)?.into_bytes())
}

/// A text deflated, with the header of zlib, and in base64. The same text has the same bytes.
pub(super) fn packed(text: &str) -> Result<String> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(text.as_bytes())?;
    Ok(BASE64.encode(packer.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of the files as npm's package `uplot` 1.6.32 has them.
    #[test]
    fn the_library_for_plots_is_as_it_was_released() {
        let digest = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(digest(PLOT), "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f");
        assert_eq!(digest(PLOT_STYLE), "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04");
    }

    #[test]
    fn a_script_that_is_not_ours_is_not_run() {
        let policy = policy(&["a"], "b");
        assert!(policy.contains("script-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"), "{policy}");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    }

    #[test]
    fn packing_is_repeatable() {
        assert_eq!(packed("2024-01-01 1 2 1\n").unwrap(), packed("2024-01-01 1 2 1\n").unwrap());
    }
}
