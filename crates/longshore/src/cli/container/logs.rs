//! `longshore container logs`.

use longshore_engine::{LogEntry, LogQuery, Stream};

use super::failure::plain;
use super::flags::FlagError;
use super::moment;
use super::stream::Passage;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Print what a container wrote, to the streams it was written to
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container logs web
  longshore container logs -f --tail 10 web
  longshore container logs -t --since 10m --until 5m web")]
pub(super) struct LogsArgs {
    /// Go on until the container ends
    #[arg(short, long)]
    follow: bool,

    /// Number of lines from the end, or `all`
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all", allow_hyphen_values = true)]
    tail: String,

    /// Begin with when each line was written
    #[arg(short, long)]
    timestamps: bool,

    /// Nothing before: `10m` ago, a date and time, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Nothing after: `10m` ago, a date and time, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Show attributes of the log, too, of which there are none here
    #[arg(long)]
    details: bool,

    /// The container by name or id
    container: String,
}

pub(super) fn run(args: &LogsArgs, session: &mut Session) -> Outcome {
    let query = args.query()?;
    let engine = super::engine(session)?;
    let id = super::find(&engine, &args.container).map_err(plain)?;
    let mut passage = Passage::default();
    let mut lines = Lines { timestamps: args.timestamps, details: args.details, open: [false; 2] };
    engine
        .read_log(&id, &query, &mut |entry| {
            passage.write(entry.stream, &lines.text(&entry));
            !passage.is_closed()
        })
        .map_err(plain)?;
    Ok(Exit::Success)
}

impl LogsArgs {
    fn query(&self) -> Result<LogQuery, FlagError> {
        let now = moment::now();
        let time = |flag: &str, text: &Option<String>| {
            let parsed = text.as_deref().map(|text| {
                moment::parse(text, now).ok_or_else(|| {
                    FlagError::value(flag, text, "it is not a time")
                        .help("write it like `10m`, `2026-01-02T03:04:05Z` or `1767323045`")
                        .code(1)
                })
            });
            parsed.transpose()
        };
        let tail = match self.tail.as_str() {
            "all" | "" => None,
            number => match number.parse::<i64>() {
                // As Docker: a negative number is all.
                Ok(number) => usize::try_from(number).ok(),
                Err(_) => {
                    return Err(
                        FlagError::value("--tail", number, "it is neither a number nor `all`").code(1)
                    );
                }
            },
        };
        Ok(LogQuery {
            follow: self.follow,
            tail,
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
        })
    }
}

/// Writes lines with what is wanted before them.
struct Lines {
    timestamps: bool,
    details: bool,
    /// Whether the last piece of a stream did not end its line.
    open: [bool; 2],
}

impl Lines {
    fn text(&mut self, entry: &LogEntry) -> Vec<u8> {
        let open = &mut self.open[usize::from(entry.stream == Stream::Stderr)];
        let mut text = Vec::with_capacity(entry.bytes.len() + 32);
        if !*open {
            if self.timestamps {
                text.extend(moment::rfc3339_fixed(entry.at).bytes());
                text.push(b' ');
            }
            if self.details {
                text.push(b' ');
            }
        }
        *open = entry.bytes.last() != Some(&b'\n');
        text.extend(&entry.bytes);
        text
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::{LogEntry, Stream};

    use super::Lines;

    #[test]
    fn long_lines_have_one_time() {
        let mut lines = Lines { timestamps: true, details: false, open: [false; 2] };
        let mut text = |stream, bytes: &[u8]| {
            String::from_utf8(lines.text(&LogEntry { at: 1, stream, bytes: bytes.to_vec() })).unwrap()
        };
        let time = "1970-01-01T00:00:00.000000001Z ";
        assert_eq!(text(Stream::Stdout, b"one"), format!("{time}one"));
        assert_eq!(text(Stream::Stderr, b"err\n"), format!("{time}err\n"));
        assert_eq!(text(Stream::Stdout, b" line\n"), " line\n");
        assert_eq!(text(Stream::Stdout, b"two\n"), format!("{time}two\n"));
    }
}
