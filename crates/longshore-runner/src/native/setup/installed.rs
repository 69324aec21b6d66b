//! What versions of a tool there are, and which is taken.

use super::capture::script;
use super::failure::SetupError;
use super::version::{Version, VersionRange};
use crate::environment::get;
use crate::step::StepCall;

/// A version of a tool that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) version: Version,
    /// The version as the tool writes it.
    pub(super) written: String,
    /// The directory that it is installed in.
    pub(super) prefix: String,
    /// Its program.
    pub(super) program: String,
}

/// Looks for a tool by a script that prints a line for each version: version, directory and program, with tabs between.
pub(super) fn look(
    call: &StepCall<'_>,
    tool: &'static str,
    text: &str,
) -> Result<Vec<Installed>, SetupError> {
    let captured = script(call, text, &[]).map_err(|source| SetupError::Look { tool, source })?;
    Ok(captured.output.lines().filter_map(read_line).collect())
}

pub(super) fn read_line(line: &str) -> Option<Installed> {
    let mut fields = line.split('\t');
    let (written, prefix, program) = (fields.next()?.trim(), fields.next()?, fields.next()?);
    let version = Version::parse(&dashed(written))?;
    Some(Installed {
        version,
        written: written.to_owned(),
        prefix: prefix.to_owned(),
        program: program.trim().to_owned(),
    })
}

/// A version with a dash before what stands before a release: `3.14.0rc1` and `1.22rc1` have none.
pub(super) fn dashed(text: &str) -> String {
    let text = text.trim_start_matches(['v', 'V']);
    let letter = text
        .char_indices()
        .find(|(_, character)| character.is_ascii_alphabetic() && !"xX".contains(*character));
    match letter {
        Some((at, _))
            if at > 0
                && text.get(..at).is_some_and(|head| head.ends_with(|last: char| last.is_ascii_digit())) =>
        {
            let (head, tail) = text.split_at(at);
            format!("{head}-{tail}")
        }
        _ => text.to_owned(),
    }
}

/// The newest version that fits; of the same version the first that was found.
pub(super) fn choose<'i>(installed: &'i [Installed], range: &VersionRange) -> Option<&'i Installed> {
    let fitting = installed.iter().filter(|installed| range.contains(&installed.version));
    fitting.reduce(|best, next| if next.version > best.version { next } else { best })
}

/// The error of who wants a version that is not there.
pub(super) fn missing(
    call: &StepCall<'_>,
    tool: &'static str,
    wanted: &str,
    installed: &[Installed],
    more: &str,
) -> SetupError {
    let mut versions: Vec<&Installed> = installed.iter().collect();
    versions.sort_by(|one, other| one.version.cmp(&other.version));
    let mut texts: Vec<&str> = versions.iter().map(|installed| installed.written.as_str()).collect();
    texts.dedup();
    let here =
        if texts.is_empty() { format!("there is no {tool}") } else { format!("it has {}", texts.join(", ")) };
    let specification = call.steps.specification;
    let other = match specification.labels.first() {
        Some(label) if !call.steps.place.in_container => {
            format!("another image with `--runs-on {label}=IMAGE`")
        }
        _ => "another image in `container:`".to_owned(),
    };
    let first = if texts.is_empty() { "use" } else { "ask for one of these, or use" };
    let help = format!("{first} {other}{more}");
    SetupError::Missing {
        tool,
        wanted: wanted.to_owned(),
        image: specification.image.to_string(),
        here,
        help,
    }
}

/// Says what was taken.
pub(super) fn tell(call: &StepCall<'_>, tool: &str, taken: &Installed) {
    call.voice.line(&format!("Found {tool} {} in {}", taken.written, taken.prefix));
}

/// Puts a directory before `PATH`, unless the program is what is found anyway.
pub(super) fn add_path(call: &StepCall<'_>, directory: &str, is_found: bool) {
    if !is_found {
        call.steps.progress.add_path(directory.to_owned());
    }
}

/// Sets a variable for the steps to come.
pub(super) fn export(call: &StepCall<'_>, name: &str, value: impl Into<String>) {
    call.steps.progress.set_env(name, value.into());
}

/// Whether a step before, or the workflow, has set a variable.
pub(super) fn is_set(call: &StepCall<'_>, name: &str) -> bool {
    get(&call.process_env(), name).or_else(|| get(&call.steps.place.base_env, name)).is_some()
}

#[cfg(test)]
mod tests {
    use super::{VersionRange, choose, dashed, read_line};

    #[test]
    fn the_newest_that_fits_is_taken_and_the_first_of_those() {
        let lines = [
            "3.11.7\t/usr\t/usr/bin/python3",
            "3.13.0\t/p/3.13.0\t/p/x",
            "3.14.0rc1\t/p/rc\t/p/y",
            "3.13.0\t/q\t/q/x",
            "broken",
        ];
        let installed: Vec<_> = lines.iter().filter_map(|line| read_line(line)).collect();
        assert_eq!(installed.len(), 4);
        let taken = |range: &str| {
            choose(&installed, &VersionRange::parse(range).unwrap()).map(|found| found.prefix.as_str())
        };
        assert_eq!(taken("3.x"), Some("/p/3.13.0"));
        assert_eq!(taken("3.11"), Some("/usr"));
        assert_eq!(taken("~3.14.0-0"), Some("/p/rc"));
        assert_eq!(taken("3.12"), None);
    }

    #[test]
    fn versions_before_a_release_get_their_dash() {
        for (text, wanted) in
            [("3.14.0rc1", "3.14.0-rc1"), ("1.22rc1", "1.22-rc1"), ("v20.1.0", "20.1.0"), ("3.x", "3.x")]
        {
            assert_eq!(dashed(text), wanted);
        }
    }
}
