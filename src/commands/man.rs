//! `man`: prints a manual page.

use crate::error::{Exit, Refusal, Result};
use crate::report::{Form, Outcome};
use crate::world::Invocation;

/// Print a manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends man run > /usr/share/man/man1/kalends-run.1")]
pub(crate) struct Args {
    /// Of this command [default: of kalends as a whole]
    command: Option<String>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let mut parser = invocation.parser.clone();
    parser.build();
    let of = match &args.command {
        None => &parser,
        Some(name) => parser.find_subcommand(name).ok_or_else(|| {
            Refusal::usage(format!("there is no command \"{name}\""), "`kalends --help` lists the commands.")
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(of.clone()).source(concat!("kalends ", env!("CARGO_PKG_VERSION"))).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).into_owned();
    Ok(Outcome { form: Form::Verbatim, ..Outcome::new(Exit::Done, page.trim_end(), &page) })
}
