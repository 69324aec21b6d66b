//! The verbs whose start counts: their part of the grammar alone.
//!
//! Building the grammar of all verbs takes a millisecond, which is a tenth of the time of a short container. Where the first
//! words name one of these verbs, only that verb is built. What does not parse (and asking for help does not) goes the usual
//! way, so that errors and help are those of the whole.

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _};

use super::{Cli, Command, GlobalArgs, container};

/// The command line, if it is a good one of such a verb.
pub(super) fn parse(arguments: &[OsString]) -> Option<Cli> {
    let (first, verb) = (arguments.get(1)?.to_str()?, arguments.get(2)?.to_str()?);
    if first != "container" {
        return None;
    }
    let verb = container::Direct::find(verb)?;
    let part = clap::Command::new("container").subcommand(verb.grammar());
    let whole = GlobalArgs::augment_args(clap::Command::new("longshore").subcommand(part));
    let matches = whole.try_get_matches_from(arguments).ok()?;
    let (_, inner) = matches.subcommand()?.1.subcommand()?;
    let container = verb.read(inner).ok()?;
    Some(Cli {
        global: GlobalArgs::from_arg_matches(&matches).ok()?,
        command: Command::Container(Box::new(container)),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    fn parse(line: &str) -> Option<super::Cli> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        super::parse(&words)
    }

    #[test]
    fn what_it_reads_is_what_the_whole_reads() {
        use clap::Parser as _;
        for line in [
            "longshore container run --rm --network none -e A=1 busybox sh -c true",
            "longshore container run -q --rm=false host true",
            "longshore container exec -it name sh -l",
            "longshore container exec --offline -u root name id -u",
        ] {
            let whole = super::Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(format!("{:?}", parse(line).unwrap()), format!("{whole:?}"), "{line}");
        }
    }

    #[test]
    fn the_rest_goes_the_usual_way() {
        for line in [
            "longshore container ps",
            "longshore container run --help",
            "longshore container run --nosuch host true",
            "longshore --offline container run host true",
            "longshore run",
            "longshore",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
