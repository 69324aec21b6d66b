//! `longshore image ls`: which images there are.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use longshore_format::{Filters, Format, Listing, Value, human};
use longshore_image::{ImageName, Images, Listed, NONE, ResolveError};
use longshore_oci::Reference;

use super::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::wiring::Wiring;

/// List images
///
/// Each name is a line; images without name show as `<none>`. The size is that of its files; of layers that are not
/// unpacked, what they take in the store. Filters: `dangling=true|false`, `label=KEY[=VALUE]`, `reference=PATTERN`, `before=IMAGE`, `since=IMAGE`,
/// `until=TIME`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image ls
  longshore image ls -q --filter dangling=true
  longshore image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}'")]
#[expect(clippy::struct_excessive_bools, reason = "flags are what they are")]
pub(super) struct LsArgs {
    /// Only images of this repository, or with this name
    #[arg(value_name = "REPOSITORY[:TAG]")]
    repository: Option<String>,

    /// Show all images; kept for Docker's sake, since none is hidden
    #[arg(short, long)]
    all: bool,

    /// Show ids only
    #[arg(short, long)]
    quiet: bool,

    /// Show digests
    #[arg(long)]
    digests: bool,

    /// Show whole ids
    #[arg(long)]
    no_trunc: bool,

    /// Show only images that meet a condition
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// `table`, `json`, `table TEMPLATE` or a template of Go
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

/// The names of filters.
const FILTERS: &[&str] = &["dangling", "label", "reference", "before", "since", "until"];

const TITLES: &[(&str, &str)] = &[
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("Containers", "CONTAINERS"),
    ("VirtualSize", "SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
];
const TABLE: &str =
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
const TABLE_DIGESTS: &str = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
const RAW: &str = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

pub(super) fn run(args: &LsArgs, session: &mut Session) -> Outcome {
    let filters = Filters::parse(&args.filter, FILTERS)?;
    let table = if args.digests { TABLE_DIGESTS } else { TABLE };
    let format = Format::parse(
        args.format.as_deref().unwrap_or_default(),
        &Listing { titles: TITLES, table, raw: RAW },
    )?;
    let images = session.wiring().images()?;
    let listing = images.list()?;
    for (name, error) in &listing.broken {
        session.output.talk(&format!("warning: the image `{}` cannot be used: {error}\n", name.familiar()));
    }
    let now = Wiring::now();
    let mut chosen = chosen(&listing.images, &filters, &images, now)?;
    chosen.sort_by_key(|listed| std::cmp::Reverse(created(listed)));
    let mut rows = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for listed in &chosen {
        for line in lines(listed, args.repository.as_deref(), &filters)? {
            let id = shown_id(listed, args.no_trunc);
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
            rows.push(row(listed, &line, id, now));
        }
    }
    let text = if args.quiet && args.format.is_none() {
        ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect()
    } else {
        format.render(&rows)?
    };
    session.output.data(&text)?;
    Ok(Exit::Success)
}

/// One line of the list.
struct Line {
    repository: String,
    tag: String,
    digest: String,
}

fn shown_id(listed: &Listed, whole: bool) -> String {
    let id = listed.image.id();
    if whole { id.to_string() } else { human::short_id(id.as_str()).to_owned() }
}

/// When the image was made; the beginning of time if it does not say.
pub(super) fn created(listed: &Listed) -> SystemTime {
    let text = listed.image.config.created.as_deref().unwrap_or_default();
    text.parse::<Timestamp>().map_or(SystemTime::UNIX_EPOCH, SystemTime::from)
}

/// The lines of an image: one for each name that is asked for.
fn lines(listed: &Listed, repository: Option<&str>, filters: &Filters) -> Result<Vec<Line>, Failure> {
    let digest_of = |name: &Reference| {
        let same = listed.digests.iter().find(|each| each.name() == name.name());
        same.and_then(|each| each.digest()).map_or_else(|| NONE.to_owned(), ToString::to_string)
    };
    let mut lines = Vec::new();
    let tagged = listed.tags().next().is_some();
    for name in &listed.names {
        let (line, texts) = match name {
            ImageName::Named(reference) => {
                // With tags, a name by digest would say nothing new.
                if reference.tag().is_none() && tagged {
                    continue;
                }
                let tag = reference.tag().unwrap_or(NONE).to_owned();
                let line = Line { repository: reference.familiar_name(), tag, digest: digest_of(reference) };
                (line, vec![reference.familiar(), reference.familiar_name()])
            }
            ImageName::Dangling(digest) => {
                if !listed.is_dangling() {
                    continue;
                }
                let known = listed.repository.as_deref().and_then(|name| Reference::parse(name).ok());
                let repository = known.map_or_else(|| NONE.to_owned(), |name| name.familiar_name());
                (Line { repository, tag: NONE.to_owned(), digest: digest.to_string() }, Vec::new())
            }
        };
        let asked = repository.is_none_or(|asked| {
            texts
                .iter()
                .any(|text| longshore_format::path_match(asked, text) == Some(true) || is_same(asked, text))
        });
        if asked && filters.glob("reference", &texts)? {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Whether two names are the same when written out.
fn is_same(asked: &str, name: &str) -> bool {
    match (Reference::parse(asked), Reference::parse(name)) {
        (Ok(asked), Ok(name)) => asked == name,
        _ => false,
    }
}

/// The images that meet the filters which are about images and not about names.
fn chosen(
    all: &[Listed],
    filters: &Filters,
    images: &Images,
    now: SystemTime,
) -> Result<Vec<Listed>, Failure> {
    let dangling = filters.flag("dangling")?;
    let time_of = |key: &str| -> Result<Option<SystemTime>, ResolveError> {
        let Some(text) = filters.values(key).last() else { return Ok(None) };
        let image = images.resolve(text, None)?;
        Ok(all.iter().find(|listed| listed.image.id() == image.id()).map(created))
    };
    let (before, since) = (time_of("before")?, time_of("since")?);
    let until = until(filters, now)?;
    let wanted = |listed: &Listed| {
        let made = created(listed);
        dangling.is_none_or(|dangling| listed.is_dangling() == dangling)
            && filters.labels("label", |key| label(listed, key))
            && before.is_none_or(|before| made < before)
            && since.is_none_or(|since| made > since)
            && until.is_none_or(|until| made < until)
    };
    Ok(all.iter().filter(|listed| wanted(listed)).cloned().collect())
}

/// A label of an image.
pub(super) fn label<'l>(listed: &'l Listed, key: &str) -> Option<&'l str> {
    listed.image.config.config.as_ref()?.labels.get(key).map(String::as_str)
}

/// The time that a filter `until` names: a time, seconds since 1970, or so long ago.
pub(super) fn until(filters: &Filters, now: SystemTime) -> Result<Option<SystemTime>, Failure> {
    let Some(text) = filters.values("until").last() else { return Ok(None) };
    match moment(text, now) {
        Some(time) => Ok(Some(time)),
        None => {
            Err(longshore_format::FilterError::Value { key: "until".to_owned(), value: text.to_owned() }
                .into())
        }
    }
}

/// A point in time as Docker's flags take it.
pub(super) fn moment(text: &str, now: SystemTime) -> Option<SystemTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    if let Ok(seconds) = text.parse::<u64>() {
        return SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    }
    // A date alone is its midnight; what lacks a zone is of Greenwich, as everything that is printed.
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        return time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp().into());
    }
    now.checked_sub(ago(text)?)
}

/// A time as Go writes it: `10m`, `1h30m`.
fn ago(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let number: u64 = number.parse().ok()?;
        total = total.checked_add(match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            _ => return None,
        })?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn row(listed: &Listed, line: &Line, id: String, now: SystemTime) -> Value {
    let made = created(listed);
    let since = now.duration_since(made).unwrap_or_default();
    let since =
        if made == SystemTime::UNIX_EPOCH { "N/A".to_owned() } else { format!("{} ago", human::ago(since)) };
    let size = human::size(listed.size, 3);
    Value::row(
        "*formatter.imageContext",
        [
            ("Containers", Value::text(listed.containers.len().to_string())),
            ("CreatedAt", Value::text(at(made))),
            ("CreatedSince", Value::text(since)),
            ("Digest", Value::text(line.digest.as_str())),
            ("ID", Value::text(id)),
            ("Repository", Value::text(line.repository.as_str())),
            ("SharedSize", Value::text("N/A")),
            ("Size", Value::text(size.as_str())),
            ("Tag", Value::text(line.tag.as_str())),
            ("UniqueSize", Value::text("N/A")),
            ("VirtualSize", Value::text(size.as_str())),
        ],
    )
}

/// A time as Go prints it.
pub(super) fn at(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_docker_does() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(48);
        let after = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(moment("24h", now), after(86_400));
        assert_eq!(moment("1h30m", now), after(172_800 - 5400));
        assert_eq!(moment("1970-01-02", now), after(86_400));
        assert_eq!(moment("1970-01-01T00:00:07Z", now), after(7));
        assert_eq!(moment("1970-01-01T01:00:07+01:00", now), after(7));
        assert_eq!(moment("1970-01-01T00:00:07", now), after(7));
        assert_eq!(moment("1970-01-01T00:01", now), after(60));
        assert_eq!(moment("9", now), after(9));
        assert_eq!(moment("soon", now), None);
        assert_eq!(moment("", now), None);
    }
}
