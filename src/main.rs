//! Parse, dispatch, print, exit code.

use std::process::ExitCode;

use kalends::cli::{Common, Typed};
use kalends::error::{exit_code, render};
use kalends::report::{print, talk, tell};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> ExitCode {
    no_core();
    let typed = Typed::of_process();
    log(&typed.common);
    let (quiet, json) = (typed.common.quiet, typed.common.json);
    match typed.run() {
        Ok(outcome) => {
            if json {
                print(&outcome.printed.unwrap_or_else(|| format!("{:#}", outcome.json)));
            } else if !quiet && !outcome.text.is_empty() {
                tell(&outcome.text, outcome.form);
            }
            ExitCode::from(outcome.exit as u8)
        }
        Err(error) => {
            talk(&render(&error));
            ExitCode::from(exit_code(&error) as u8)
        }
    }
}

/// Prevents core dumps: the memory of this process contains passwords.
fn no_core() {
    let most = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
    let none = rustix::process::Rlimit { current: Some(0), maximum: most };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// The log goes to stderr, in colour on a terminal unless `NO_COLOR` is set.
fn log(common: &Common) {
    let level = match common.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // Libraries could log what they send, and so what is secret.
    let ours = Targets::new().with_target("kalends", level);
    let log = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
    log.with_ansi(kalends::report::colours()).finish().with(ours).init();
}
