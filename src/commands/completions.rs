//! `completions`: prints a completion script for a shell.

use clap_complete::Shell;

use crate::error::{Exit, Result};
use crate::report::{Form, Outcome};
use crate::world::Invocation;

/// Print shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends completions bash > /etc/bash_completion.d/kalends")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    invocation.settings()?;
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut invocation.parser.clone(), "kalends", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Ok(Outcome { form: Form::Verbatim, ..Outcome::new(Exit::Done, script.trim_end(), &script) })
}
