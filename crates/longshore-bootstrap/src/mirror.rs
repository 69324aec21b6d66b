//! Where packages come from: the distributions' own hosts, a mirror that was named, or one that this machine uses.

use crate::control::paragraphs;
use crate::distribution::{Distribution, Suite};

/// One suite on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where to fetch from, without a slash at the end.
    pub(crate) url: String,
    /// What the image's own `apt` is told.
    pub(crate) written_url: String,
    /// The suite's name below `dists/`.
    pub(crate) suite: String,
}

/// The sources of a suite: itself, and unless a mirror was named, its updates and security fixes.
///
/// A mirror that was `named` is written into the image; one that is only `near` is not, so that the image does not
/// depend on where it was made.
pub(crate) fn sources(
    suite: &Suite,
    architecture: &str,
    named: Option<&str>,
    near: Option<&str>,
) -> Vec<Source> {
    let default = default_mirror(suite.distribution(), architecture);
    let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
    let written = trimmed(named.unwrap_or(default));
    let url = trimmed(named.or(near).unwrap_or(default));
    let source = |pocket: &str| Source {
        url: url.clone(),
        written_url: written.clone(),
        suite: format!("{}{pocket}", suite.name()),
    };
    let mut sources = vec![source("")];
    if named.is_some() || !suite.has_pockets() {
        return sources;
    }
    sources.push(source("-updates"));
    let mut security = source("-security");
    if suite.distribution() == Distribution::Debian {
        DEBIAN_SECURITY.clone_into(&mut security.url);
        DEBIAN_SECURITY.clone_into(&mut security.written_url);
    }
    sources.push(security);
    sources
}

const DEBIAN_SECURITY: &str = "http://deb.debian.org/debian-security";

/// The distribution's own host. Packages need no encrypted transport, because they are signed; and `apt` in a small
/// image has no certificates to check one.
const fn default_mirror(distribution: Distribution, architecture: &str) -> &'static str {
    match (distribution, architecture.as_bytes()) {
        (Distribution::Debian, _) => "http://deb.debian.org/debian",
        (Distribution::Ubuntu, b"amd64" | b"i386") => "http://archive.ubuntu.com/ubuntu",
        (Distribution::Ubuntu, _) => "http://ports.ubuntu.com/ubuntu-ports",
    }
}

/// The mirror of a distribution in the contents of `/etc/apt/sources.list` or a file of `sources.list.d`, if there is
/// one: both the format of one line each, and that of paragraphs (`sources.list(5)`).
pub fn mirror_of_host(contents: &str, distribution: Distribution) -> Option<String> {
    let is_archive = |url: &str| {
        let path = url.trim_end_matches('/');
        (url.starts_with("http://") || url.starts_with("https://"))
            && (path.ends_with(&format!("/{}", distribution.id()))
                || path.ends_with("/ubuntu-ports") && distribution == Distribution::Ubuntu)
    };
    let one_line = contents.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        if words.next() != Some("deb") {
            return None;
        }
        let mut in_options = false;
        words.find(|word| {
            let is_option = in_options || word.starts_with('[');
            in_options = is_option && !word.ends_with(']');
            !is_option
        })
    });
    let deb822 = paragraphs(contents)
        .filter(|paragraph| paragraph.field("Enabled") != Some("no"))
        .filter(|paragraph| {
            paragraph.field("Types").is_some_and(|types| types.split_whitespace().any(|kind| kind == "deb"))
        })
        .filter_map(|paragraph| paragraph.field("URIs"))
        .flat_map(str::split_whitespace);

    one_line.chain(deb822).find(|url| is_archive(url)).map(str::to_owned)
}

/// The `sources.list` of the image.
pub(crate) fn sources_list(sources: &[Source], components: &[String]) -> String {
    let components = components.join(" ");
    let mut list = String::new();
    for source in sources {
        list.push_str(&format!("deb {} {} {components}\n", source.written_url, source.suite));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{mirror_of_host, sources, sources_list};
    use crate::distribution::Distribution;

    #[test]
    fn updates_and_fixes_come_along_unless_a_mirror_was_named() {
        let shown = |suite: &str, architecture: &str, named: Option<&str>, near: Option<&str>| {
            let sources = sources(&suite.parse().unwrap(), architecture, named, near);
            let fetched: Vec<_> =
                sources.iter().map(|source| format!("{} {}", source.url, source.suite)).collect();
            (fetched.join(", "), sources_list(&sources, &["main".to_owned()]))
        };
        let (fetched, list) = shown("debian:12", "amd64", None, Some("http://near/debian/"));
        assert_eq!(
            fetched,
            "http://near/debian bookworm, http://near/debian bookworm-updates, \
             http://deb.debian.org/debian-security bookworm-security"
        );
        assert!(!list.contains("near"), "{list}");
        let (fetched, list) = shown("debian:12", "amd64", Some("http://mine/debian/"), None);
        assert_eq!(fetched, "http://mine/debian bookworm");
        assert_eq!(list, "deb http://mine/debian bookworm main\n");
        assert_eq!(shown("debian:sid", "amd64", None, None).0, "http://deb.debian.org/debian sid");
        let (fetched, _) = shown("ubuntu:noble", "arm64", None, None);
        assert!(fetched.ends_with("http://ports.ubuntu.com/ubuntu-ports noble-security"), "{fetched}");
    }

    #[test]
    fn the_mirror_of_this_machine_is_found() {
        let deb822 = "Types: deb\n# comment\nURIs: http://deb.example/debian\nSuites: bookworm\n";
        for (contents, distribution, mirror) in [
            (deb822, Distribution::Debian, Some("http://deb.example/debian")),
            (deb822, Distribution::Ubuntu, None),
            (
                "# deb http://a/debian x main\ndeb [arch=amd64 trusted=no] http://b/debian/ x main\n",
                Distribution::Debian,
                Some("http://b/debian/"),
            ),
            ("deb cdrom:[x]/ bookworm main\n", Distribution::Debian, None),
            ("deb http://b/debian-security x main\n", Distribution::Debian, None),
            (
                "deb http://ports.ubuntu.com/ubuntu-ports noble main\n",
                Distribution::Ubuntu,
                Some("http://ports.ubuntu.com/ubuntu-ports"),
            ),
        ] {
            assert_eq!(mirror_of_host(contents, distribution).as_deref(), mirror, "{contents}");
        }
    }
}
