//! Variables, labels, and the files that hold them.

use std::collections::BTreeMap;
use std::path::Path;

use super::FlagError;

/// The lines of a file of `--env-file` or `--label-file`: `NAME=value`, or `NAME` for the value that `outer` gives, which
/// is left out if it gives none. Lines that begin with `#` are comments.
pub(in crate::cli) fn lines(
    text: &str,
    outer: &dyn Fn(&str) -> Option<String>,
    keep_bare: bool,
) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        let name = if value.is_none() { name.trim_end() } else { name };
        if name.is_empty() {
            return Err(format!("line {number} has no name before `=`"));
        }
        if name.contains([' ', '\t']) {
            return Err(format!("the name `{name}` in line {number} contains white space"));
        }
        match value {
            Some(value) => found.push(format!("{name}={value}")),
            None if keep_bare => found.push(name.to_owned()),
            None => found.extend(outer(name).map(|value| format!("{name}={value}"))),
        }
    }
    Ok(found)
}

/// Reads a file of variables.
pub(in crate::cli) fn file(path: &Path) -> Result<Vec<String>, FlagError> {
    let text = read(path, "--env-file")?;
    lines(&text, &outer, false)
        .map_err(|why| FlagError::value("--env-file", &path.display().to_string(), why))
}

fn read(path: &Path, flag: &str) -> Result<String, FlagError> {
    crate::input::read_text(path).map_err(|error| FlagError::value(flag, &path.display().to_string(), error))
}

/// The value of a variable of this process.
fn outer(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The variables of `--env-file` and then of `--env`, each as `NAME=value`. A name alone takes the value that it has here.
pub(in crate::cli) fn variables(
    files: &[std::path::PathBuf],
    given: &[String],
    flag: &str,
) -> Result<Vec<String>, FlagError> {
    let mut all = Vec::new();
    for path in files {
        all.extend(file(path)?);
    }
    for text in given {
        match text.split_once('=') {
            Some(("", _)) => return Err(FlagError::value(flag, text, "there is no name before `=`")),
            Some(_) => all.push(text.clone()),
            None if text.is_empty() => return Err(FlagError::value(flag, text, "it is empty")),
            None => all.extend(outer(text).map(|value| format!("{text}={value}"))),
        }
    }
    Ok(all)
}

/// The labels of `--label-file` and then of `--label`.
pub(in crate::cli) fn labels(
    files: &[std::path::PathBuf],
    given: &[String],
) -> Result<BTreeMap<String, String>, FlagError> {
    let mut all = Vec::new();
    for path in files {
        let text = read(path, "--label-file")?;
        let wrong = |why| FlagError::value("--label-file", &path.display().to_string(), why);
        all.extend(lines(&text, &outer, true).map_err(wrong)?);
    }
    all.extend(given.iter().cloned());
    let mut labels = BTreeMap::new();
    for text in all {
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        if name.is_empty() {
            return Err(FlagError::value("--label", &text, "there is no name before `=`"));
        }
        labels.insert(name.to_owned(), value.to_owned());
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn files_of_variables_are_read_as_docker_reads_them() {
        let outer = |name: &str| (name == "HERE").then(|| "outer".to_owned());
        let text = "\u{feff}# comment\n\nA=1\n  B= two words \nC=x=y\nHERE\nAWAY\nD=\"quoted\"\nE=\n";
        let expected = ["A=1", "B= two words ", "C=x=y", "HERE=outer", "D=\"quoted\"", "E="];
        assert_eq!(lines(text, &outer, false).unwrap(), expected);
        assert_eq!(lines("a\n", &outer, true).unwrap(), ["a"]);
        for wrong in ["=x", "a b=c", "A =1"] {
            assert!(lines(wrong, &outer, false).is_err(), "{wrong}");
        }
    }
}
