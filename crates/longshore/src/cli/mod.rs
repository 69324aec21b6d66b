//! The command line: what may be typed, and the road from there to a verb.
//!
//! One file for each verb: its `…Args` as they are typed (whose documentation is the help), and a `run` that resolves
//! them against the settings and does the work. This file holds what all verbs share.

pub(crate) mod artifact;
mod batch;
mod carry;
mod check;
mod completions;
mod container;
mod debug;
mod direct;
mod doctor;
mod event;
mod explain;
mod expr;
mod image;
mod login;
mod logout;
mod logs;
mod man;
mod network;
mod plan;
mod rerun;
mod run;
mod runs;
mod secret;
mod selection;
mod settings;
mod shell;
mod volume;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use longshore_report::diagnostic::text;
use longshore_report::{Role, render_error};
use thiserror::Error;

use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::output::Output;
use crate::settings::{ColorChoice, Environment, Layer, Origin, Settings, Sourced};
use crate::wiring::Wiring;

/// Version, commit and its date.
pub(crate) const VERSION: &str = env!("BUILT_VERSION");

/// Run a team's whole containerised CI/CD from the files it already has
///
/// Longshore reads `.github/workflows/*.yml` as GitHub does. It needs no account and no network for that. Results go
/// to standard output, everything said about the work to standard error.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version = VERSION,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = false,
    max_term_width = 110,
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every verb takes.
#[derive(Debug, clap::Args)]
struct GlobalArgs {
    /// Work as if started in this directory
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        global = true,
        help_heading = "Global options"
    )]
    directory: Option<PathBuf>,

    /// Read this file in place of the project's `longshore.toml`
    #[arg(long, value_name = "FILE", global = true, help_heading = "Global options")]
    config: Option<PathBuf>,

    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, global = true, help_heading = "Global options")]
    color: Option<ColorChoice>,

    /// Say nothing but results and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,

    /// Ask no other machine for anything
    #[arg(long, global = true, help_heading = "Global options")]
    offline: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Watch(Box<watch::WatchArgs>),
    Plan(Box<plan::PlanArgs>),
    Check(check::CheckArgs),
    Expr(expr::ExprArgs),
    Rerun(Box<rerun::RerunArgs>),
    Shell(Box<shell::ShellArgs>),
    Runs(Box<runs::RunsArgs>),
    Logs(logs::LogsArgs),
    Secret(secret::SecretArgs),
    Artifact(artifact::ArtifactArgs),
    Explain(explain::ExplainArgs),
    Doctor(doctor::DoctorArgs),
    Image(Box<image::ImageArgs>),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Container(Box<container::ContainerArgs>),
    Volume(volume::VolumeArgs),
    Network(network::NetworkArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Debug(debug::DebugArgs),
}

/// What every verb works with.
pub(crate) struct Session {
    /// The directory that the command works in.
    pub(crate) directory: PathBuf,
    /// What is set.
    pub(crate) settings: Settings,
    /// The variables of the process.
    pub(crate) environment: Environment,
    /// Where results and talk go.
    pub(crate) output: Output,
}

impl Session {
    /// What verbs work upon: the store, its images, registries.
    pub(crate) fn wiring(&self) -> Wiring<'_> {
        Wiring::new(&self.settings, &self.environment)
    }
}

/// How a verb ends.
pub(crate) type Outcome = Result<Exit, Failure>;

/// The whole command: arguments and environment in, exit code out.
pub(crate) fn run() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::of_process();
    if let Some(cli) = direct::parse(&arguments) {
        return start(cli, &environment);
    }
    let words = container::has_codes_of_its_own(&arguments);
    match command(early_color(&arguments)).try_get_matches_from(arguments) {
        Ok(matches) => match <Cli as clap::FromArgMatches>::from_arg_matches(&matches) {
            Ok(cli) => start(cli, &environment),
            Err(error) => usage(&error, words),
        },
        Err(error) => usage(&error, words),
    }
}

/// The grammar, with the parts of its help that are not comments.
pub(crate) fn command(color: clap::ColorChoice) -> clap::Command {
    let codes: Vec<String> =
        Exit::ALL.iter().map(|(exit, meaning)| format!("  {:>2}  {meaning}", exit.code())).collect();
    let examples = "Examples:\n  \
        longshore run\n  \
        longshore watch\n  \
        longshore plan\n  \
        longshore plan -e pull_request\n  \
        longshore check\n  \
        longshore check --format sarif > findings.sarif\n  \
        longshore expr \"startsWith('refs/heads/main', 'refs/')\"\n  \
        longshore runs\n  \
        longshore logs --failed\n  \
        longshore explain config/unknown-key\n  \
        longshore explain 'exec format error'\n  \
        longshore doctor\n  \
        longshore image pull debian:bookworm-slim\n  \
        longshore image save -o debian.tar debian:bookworm-slim\n  \
        longshore container run --rm host uname -a\n  \
        longshore debug settings\n  \
        source <(longshore completions bash)";
    Cli::command().color(color).after_long_help(format!("{examples}\n\nExit codes:\n{}", codes.join("\n")))
}

/// What `--color` says, for help and errors of the command line, which are written before it is parsed.
fn early_color(arguments: &[OsString]) -> clap::ColorChoice {
    let mut texts =
        arguments.iter().filter_map(|argument| argument.to_str()).take_while(|text| *text != "--");
    while let Some(text) = texts.next() {
        let value = if text == "--color" { texts.next() } else { text.strip_prefix("--color=") };
        match value {
            Some("always") => return clap::ColorChoice::Always,
            Some("never") => return clap::ColorChoice::Never,
            _ => {}
        }
    }
    clap::ColorChoice::Auto
}

/// Prints help, version, or what is wrong with the command line. Verbs whose exit code is a program's own tell by one
/// that programs do not use.
fn usage(error: &clap::Error, like_docker: bool) -> Exit {
    // Nobody is left to tell if the stream is closed.
    let _ = error.print();
    match (error.use_stderr(), like_docker) {
        (false, _) => Exit::Success,
        (true, false) => Exit::Usage,
        (true, true) => Exit::Program(125),
    }
}

fn start(cli: Cli, environment: &Environment) -> Exit {
    let quiet = cli.global.quiet;
    match session(&cli.global, environment) {
        Ok(mut session) => {
            for slip in environment.unknown() {
                let word = session.output.talk_style().paint(Role::Warning, "warning");
                session.output.talk(&format!("{word}: {slip}\n"));
            }
            let outcome = dispatch(cli.command, &mut session);
            finish(outcome, &mut session.output)
        }
        Err(failure) => {
            finish(Err(failure), &mut Output::new(cli.global.color.unwrap_or(ColorChoice::Auto), quiet))
        }
    }
}

fn dispatch(command: Command, session: &mut Session) -> Outcome {
    match command {
        Command::Run(args) => run::run(&args, session),
        Command::Watch(args) => watch::run(&args, session),
        Command::Plan(args) => plan::run(&args, session),
        Command::Check(args) => check::run(&args, session),
        Command::Expr(args) => expr::run(&args, session),
        Command::Rerun(args) => rerun::run(&args, session),
        Command::Shell(args) => shell::run(&args, session),
        Command::Runs(args) => runs::run(&args, session),
        Command::Artifact(args) => artifact::run(&args, session),
        Command::Logs(args) => logs::run(&args, session),
        Command::Secret(args) => secret::run(&args, session),
        Command::Explain(args) => explain::run(&args, session),
        Command::Doctor(args) => doctor::run(&args, session),
        Command::Image(args) => image::run(&args, session),
        Command::Login(args) => login::run(&args, session),
        Command::Logout(args) => logout::run(&args, session),
        Command::Container(args) => container::run(*args, session),
        Command::Volume(args) => volume::run(&args, session),
        Command::Network(args) => network::run(&args, session),
        Command::Completions(args) => completions::run(&args, session),
        Command::Man(args) => man::run(&args, session),
        Command::Debug(args) => debug::run(args, session),
    }
}

/// Prints a failure, if there is one, and settles the exit code.
fn finish(outcome: Outcome, output: &mut Output) -> Exit {
    let outcome = outcome.and_then(|exit| {
        output.flush()?;
        Ok(exit)
    });
    match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            let style = output.talk_style();
            output.complain(&text::render(&failure.findings, style));
            output.complain(&render_error(&*failure.error, failure.help.as_deref(), style));
            failure.blame.into()
        }
    }
}

/// The directory to work in cannot be.
#[derive(Debug, Error)]
#[error("failed to work in the directory `{}`", path.display())]
struct DirectoryError {
    path: PathBuf,
    source: std::io::Error,
}

impl Explained for DirectoryError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        Some("give `-C` a directory that exists and that you may enter".to_owned())
    }
}

fn session(global: &GlobalArgs, environment: &Environment) -> Result<Session, Failure> {
    let given = global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    // Everything below sees relative paths as the user means them, so the process itself moves, once and here.
    let directory = std::env::set_current_dir(&given)
        .and_then(|()| std::env::current_dir())
        .map_err(|source| DirectoryError { path: given, source })?;
    let flags = Layer {
        color: global.color.map(|color| Sourced::new(color, Origin::Flag("--color"))),
        network: global.offline.then(|| Sourced::new(false, Origin::Flag("--offline"))),
        ..Layer::default()
    };
    let settings = crate::settings::load(&directory, flags, global.config.clone(), environment)?;
    let output = Output::new(settings.color.value, global.quiet);
    Ok(Session { directory, settings, environment: environment.clone(), output })
}
