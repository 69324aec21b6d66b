//! Releases: what an archive says of a suite, once its signature was checked (the format is that of
//! `DebianRepository/Format` in Debian's wiki).

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use thiserror::Error;

use crate::control::Paragraph;
use crate::distribution::Distribution;

/// How far the clocks of an archive and of this machine may differ.
const SKEW_SECONDS: i64 = 24 * 60 * 60;

/// A release cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReleaseError {
    /// A field is absent or cannot be read.
    #[error("the release has no usable field `{0}`")]
    Field(&'static str),
    /// The archive serves another suite than was asked for.
    #[error("asked for the suite `{asked}`, the archive answered with `{suite}` (code name `{codename}`)")]
    OtherSuite {
        /// What was asked for.
        asked: String,
        /// The suite that it claims to be.
        suite: String,
        /// The code name that it claims.
        codename: String,
    },
    /// The archive is another distribution's.
    #[error("asked for {asked}, the archive answered with a release of `{origin}`")]
    OtherOrigin {
        /// What was asked for.
        asked: Distribution,
        /// What it claims to be.
        origin: String,
    },
    /// It is too old to be trusted to be the newest.
    #[error("the release was valid until {0}; someone may be withholding newer ones")]
    Expired(String),
    /// It is of the future.
    #[error("the release is of {0}, which is still to come; is the clock of this machine right?")]
    Future(String),
    /// The architecture is not in the suite.
    #[error("the suite has no packages for `{architecture}`; it has: {offered}")]
    Architecture {
        /// What was asked for.
        architecture: String,
        /// What there is.
        offered: String,
    },
    /// A component is not in the suite.
    #[error("the suite has no component `{component}`; it has: {offered}")]
    Component {
        /// What was asked for.
        component: String,
        /// What there is.
        offered: String,
    },
}

/// A file that a release vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its SHA-256, as lower-case hexadecimal digits.
    pub(crate) sha256: String,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// A release whose signature is good.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) codename: String,
    pub(crate) suite: String,
    pub(crate) origin: String,
    pub(crate) version: Option<String>,
    pub(crate) date: Timestamp,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) by_hash: bool,
    architectures: String,
    components: String,
    files: HashMap<String, Listed>,
}

impl Release {
    pub(crate) fn read(text: &str) -> Result<Self, ReleaseError> {
        let paragraph = Paragraph::first(text).ok_or(ReleaseError::Field("Codename"))?;
        let own = |name| paragraph.field(name).unwrap_or_default().to_owned();
        let time = |name: &'static str| match paragraph.field(name) {
            Some(value) => archive_time(value).map(Some).ok_or(ReleaseError::Field(name)),
            None => Ok(None),
        };
        let listing = paragraph.field("SHA256").ok_or(ReleaseError::Field("SHA256"))?;
        Ok(Self {
            codename: own("Codename"),
            suite: own("Suite"),
            origin: own("Origin"),
            version: paragraph.field("Version").map(ToOwned::to_owned),
            date: time("Date")?.ok_or(ReleaseError::Field("Date"))?,
            valid_until: time("Valid-Until")?,
            by_hash: paragraph.field("Acquire-By-Hash") == Some("yes"),
            architectures: own("Architectures"),
            components: own("Components"),
            files: listing.lines().filter_map(listed).collect(),
        })
    }

    /// Whether it is what was asked for, and of today. `now` is `None` if its age does not matter.
    pub(crate) fn check(
        &self,
        distribution: Distribution,
        asked: &str,
        now: Option<Timestamp>,
    ) -> Result<(), ReleaseError> {
        // Derivatives and private archives name an origin of their own, and have keys of their own; only the archive
        // of the other known distribution is certainly a mistake.
        let other = match distribution {
            Distribution::Debian => Distribution::Ubuntu,
            Distribution::Ubuntu => Distribution::Debian,
        };
        if self.origin == other.origin() {
            return Err(ReleaseError::OtherOrigin { asked: distribution, origin: self.origin.clone() });
        }
        if self.codename != asked && self.suite != asked {
            return Err(ReleaseError::OtherSuite {
                asked: asked.to_owned(),
                suite: self.suite.clone(),
                codename: self.codename.clone(),
            });
        }
        let Some(now) = now else { return Ok(()) };
        if self.date.as_second() > now.as_second().saturating_add(SKEW_SECONDS) {
            return Err(ReleaseError::Future(self.date.to_string()));
        }
        match self.valid_until {
            Some(end) if end < now => Err(ReleaseError::Expired(end.to_string())),
            _ => Ok(()),
        }
    }

    /// Whether it has an architecture and components.
    pub(crate) fn check_offer(&self, architecture: &str, components: &[String]) -> Result<(), ReleaseError> {
        let offers = |list: &str, wanted: &str| list.split_whitespace().any(|word| word == wanted);
        if !offers(&self.architectures, architecture) {
            return Err(ReleaseError::Architecture {
                architecture: architecture.to_owned(),
                offered: self.architectures.clone(),
            });
        }
        // Security archives of old suites call their components `updates/main`.
        let offered = self.components.replace("updates/", "");
        match components.iter().find(|component| !offers(&offered, component)) {
            Some(component) => Err(ReleaseError::Component { component: component.clone(), offered }),
            None => Ok(()),
        }
    }

    /// The file at a path below the suite's directory.
    pub(crate) fn file(&self, path: &str) -> Option<&Listed> {
        self.files.get(path)
    }
}

fn listed(line: &str) -> Option<(String, Listed)> {
    let mut words = line.split_whitespace();
    let (sha256, size, path) = (words.next()?, words.next()?, words.next()?);
    is_sha256(sha256).then_some(())?;
    Some((path.to_owned(), Listed { sha256: sha256.to_ascii_lowercase(), size: size.parse().ok()? }))
}

/// Whether a text is 64 hexadecimal digits, so that it can be a part of a path.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Archives write times as mails do, and name the zone `UTC`.
fn archive_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix('Z'))
        .map_or(text.to_owned(), |rest| format!("{rest}+0000"));
    // Days and hours below ten are padded with a blank by some.
    let padded = |word: &str| if word.find(':') == Some(1) { format!("0{word}") } else { word.to_owned() };
    let text = text.split_whitespace().map(padded).collect::<Vec<_>>().join(" ");
    rfc2822::DateTimeParser::new().parse_timestamp(&text).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Release, ReleaseError, archive_time};
    use crate::distribution::Distribution;

    fn release() -> Release {
        let hash = "a".repeat(64);
        Release::read(&format!(
            "Origin: Debian\nSuite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2026 07:55:41 UTC\n\
             Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC\nArchitectures: all amd64\nComponents: main contrib\n\
             SHA256:\n {hash} 12 main/binary-amd64/Packages.xz\n zz 1 x\n"
        ))
        .unwrap()
    }

    #[test]
    fn a_release_is_read() {
        let release = release();
        assert_eq!(release.date.to_string(), "2026-09-12T07:55:41Z");
        assert_eq!(release.file("main/binary-amd64/Packages.xz").map(|file| file.size), Some(12));
        assert_eq!(release.file("x"), None);
    }

    #[test]
    fn times_are_read_as_archives_write_them() {
        for (text, time) in [
            ("Thu,  5 Mar 2026 07:00:00 UTC", "2026-03-05T07:00:00Z"),
            ("Fri, 20 Nov 2026  2:27:59 UTC", "2026-11-20T02:27:59Z"),
            ("Fri, 20 Nov 2026 02:27:59 Z", "2026-11-20T02:27:59Z"),
            ("Fri, 20 Nov 2026 02:27:59 +0000", "2026-11-20T02:27:59Z"),
        ] {
            assert_eq!(archive_time(text).map(|time| time.to_string()).as_deref(), Some(time), "{text}");
        }
        assert_eq!(archive_time("yesterday"), None);
    }

    #[test]
    fn only_what_was_asked_for_and_is_of_today_is_taken() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let check = |asked, now| release().check(Distribution::Debian, asked, now);
        assert_eq!(check("trixie", at("2026-09-13T00:00:00Z")), Ok(()));
        assert_eq!(check("stable", at("2026-09-13T00:00:00Z")), Ok(()));
        assert_eq!(check("stable", None), Ok(()));
        assert!(matches!(check("bookworm", None), Err(ReleaseError::OtherSuite { .. })));
        assert!(matches!(check("trixie", at("2026-09-20T00:00:00Z")), Err(ReleaseError::Expired(_))));
        assert!(matches!(check("trixie", at("2026-09-10T00:00:00Z")), Err(ReleaseError::Future(_))));
        let other = release().check(Distribution::Ubuntu, "trixie", None);
        assert!(matches!(other, Err(ReleaseError::OtherOrigin { .. })));
    }

    #[test]
    fn architectures_and_components_must_be_offered() {
        assert_eq!(release().check_offer("amd64", &["main".to_owned()]), Ok(()));
        assert!(matches!(release().check_offer("arm64", &[]), Err(ReleaseError::Architecture { .. })));
        let component = release().check_offer("amd64", &["universe".to_owned()]);
        assert!(matches!(component, Err(ReleaseError::Component { .. })));
    }
}
