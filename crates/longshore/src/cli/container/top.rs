//! `longshore container top`: the processes of a container, as `ps` shows them.
//!
//! They are read from `/proc` of this machine, so the image needs no `ps`, and what is hidden inside is shown.

mod column;
mod process;

use column::Column;
use process::{Machine, Process};

use super::failure::{Refused, plain};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Show the processes of a container, with the numbers that they have on this machine
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "longshore container top CONTAINER [PS OPTIONS]",
    after_long_help = "Options of ps: `-ef` (the default), `aux`, `-o LIST` with columns of
  uid user pid ppid pgid sid c pcpu pmem vsz rss tty stat stime etime time nlwp ni comm args

Examples:
  longshore container top web
  longshore container top web aux
  longshore container top web -o pid,user,args"
)]
pub(super) struct TopArgs {
    /// The container by name or id
    #[arg(value_name = "CONTAINER [PS OPTIONS]", required = true, num_args = 1.., trailing_var_arg = true)]
    container_and_options: Vec<String>,
}

pub(super) fn run(args: &TopArgs, session: &mut Session) -> Outcome {
    let (container, options) =
        args.container_and_options.split_first().map_or(("", &[][..]), |(one, rest)| (one.as_str(), rest));
    let columns = Column::chosen(options).map_err(Refused)?;
    let engine = super::engine(session)?;
    let id = super::find(&engine, container).map_err(plain)?;
    let machine = Machine::read();
    let pids = engine.processes(&id).map_err(plain)?;
    // One that ends while it is looked at is left out.
    let processes = pids.into_iter().filter_map(Process::read);
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.title().to_owned()).collect()];
    lines.extend(
        processes.map(|process| columns.iter().map(|column| column.cell(&process, &machine)).collect()),
    );
    session.output.data(&aligned(&lines))?;
    Ok(Exit::Success)
}

/// Columns of at least twenty characters, as Docker's.
fn aligned(lines: &[Vec<String>]) -> String {
    let count = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widest =
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count() + 3).max();
        widest.unwrap_or(0).max(20)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (index, (cell, width)) in line.iter().zip(&widths).enumerate() {
            text.push_str(cell);
            if index + 1 < count {
                text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        text.push('\n');
    }
    text
}
