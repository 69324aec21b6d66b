//! `longshore completions`: what a shell needs to complete our words.

use clap_complete::Shell;

use super::{Outcome, Session, command};
use crate::exit::Exit;

/// Print a script that completes longshore's verbs and flags in a shell
///
/// Bash, zsh, fish, elvish and PowerShell are known. The script goes to standard output; where to put it is the
/// shell's business.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  source <(longshore completions bash)
  longshore completions zsh > ~/.zfunc/_longshore
  longshore completions fish > ~/.config/fish/completions/longshore.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, session: &mut Session) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(clap::ColorChoice::Never), "longshore", &mut script);
    session.output.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
