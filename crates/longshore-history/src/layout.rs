//! Where everything is, and how names become parts of paths.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use longshore_event::{JobKey, RunId, StepNumber};
use sha2::{Digest as _, Sha256};

/// The longest name of a directory that is made of a job's key. File systems take 255 bytes.
const LONGEST: usize = 200;
/// As much of a longer key stays readable.
const PREFIX: usize = 160;

/// The directory of all runs.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn counters(&self) -> PathBuf {
        self.root.join("counters.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    pub(crate) fn run(&self, id: RunId) -> PathBuf {
        self.root.join(id.to_string())
    }

    /// The ids that have a directory, newest first. What else there is, is not ours.
    pub(crate) fn ids(&self) -> io::Result<Vec<RunId>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(id_of) else { continue };
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                ids.push(id);
            }
        }
        ids.sort_unstable_by(|left, right| right.cmp(left));
        Ok(ids)
    }
}

/// The id that a directory's name spells, in its one spelling.
fn id_of(name: &str) -> Option<RunId> {
    let id = RunId(name.parse().ok()?);
    (id.to_string() == name).then_some(id)
}

/// The lock of a run.
pub(crate) fn run_lock(run: &Path) -> PathBuf {
    run.join("lock")
}

/// The events of a run.
pub(crate) fn events(run: &Path) -> PathBuf {
    run.join("events.ndjson")
}

/// The log of a step. What belongs to no step is in `0.log`; what belongs to no job has a name that no key has.
pub(crate) fn log(run: &Path, job: Option<&JobKey>, step: Option<StepNumber>) -> PathBuf {
    let logs = run.join("logs");
    match job {
        Some(job) => logs.join(escaped(job.as_str())).join(format!("{}.log", step.map_or(0, |step| step.0))),
        None => logs.join("%run.log"),
    }
}

/// A text as the name of one directory: letters, digits, `_`, `-` and inner points stay; other bytes become `%XX`. What
/// is too long for a file system ends in a digest of all of it.
pub(crate) fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 8);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    if name.is_empty() {
        // What no escaped text is.
        name.push('%');
    }
    if name.len() > LONGEST {
        let digest = Sha256::digest(text.as_bytes());
        name.truncate(PREFIX);
        name.push('~');
        for byte in digest.iter().take(16) {
            let _ = write!(name, "{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::{escaped, id_of};

    #[test]
    fn keys_stay_readable() {
        for (key, name) in [
            ("build", "build"),
            ("test/2", "test%2F2"),
            ("deploy.build/1", "deploy.build%2F1"),
            ("..", "%2E."),
            (".", "%2E"),
            ("", "%"),
            ("%", "%25"),
            ("a~b", "a%7Eb"),
            ("ä\0", "%C3%A4%00"),
        ] {
            assert_eq!(escaped(key), name);
        }
        let [one, other] = ["x".repeat(999), "x".repeat(998) + "y"].map(|key| escaped(&key));
        assert!(one.len() < 255 && one != other && one.starts_with("xxx"), "{one}");
    }

    #[test]
    fn only_ids_are_ids() {
        assert!(id_of("7").is_some() && id_of("0").is_some());
        for name in ["07", "+7", "-7", "7.tmp", "", "#7", "99999999999999999999", "trash"] {
            assert_eq!(id_of(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_key_is_one_name_of_its_own(one in any::<String>(), other in any::<String>()) {
            let name = escaped(&one);
            let mut parts = Path::new(&name).components();
            prop_assert!(matches!(parts.next(), Some(Component::Normal(_))));
            prop_assert!(parts.next().is_none() && name.len() < 255);
            prop_assert_eq!(one == other, name == escaped(&other));
        }
    }
}
