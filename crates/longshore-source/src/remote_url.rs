//! Which repository a remote's URL names.
//!
//! Git accepts `https://host/owner/name.git`, `ssh://git@host:22/owner/name` and the scp form `git@host:owner/name`
//! (git documentation: "git-clone", section "Git URLs"). GitHub's contexts want `owner/name`.

use std::fmt;

/// A repository on a forge: where, whose, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    /// The server, without user and port; empty for a path on this machine.
    pub host: String,
    /// Account or organisation.
    pub owner: String,
    /// The repository's own name, without `.git`.
    pub name: String,
}

impl RepositoryName {
    /// Reads a remote URL. `None` if it does not name exactly an owner and a repository on a host.
    pub fn parse(url: &str) -> Option<Self> {
        let (host, path) = match url.split_once("://") {
            Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            None => url.split_once(':').filter(|(host, _)| !host.contains('/'))?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        let path = path.trim_matches('/');
        let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
        let plain =
            |part: &str| !part.is_empty() && !part.contains('/') && !part.chars().any(char::is_control);
        (plain(host) && plain(owner) && plain(name)).then(|| Self {
            host: host.to_ascii_lowercase(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let cases = [
            ("https://github.com/octo/app.git", Some("github.com octo/app")),
            ("https://github.com/octo/app", Some("github.com octo/app")),
            ("https://token@GitHub.com/octo/app.git/", Some("github.com octo/app")),
            ("https://user:secret@git.example.org:8443/octo/app", Some("git.example.org octo/app")),
            ("ssh://git@github.com:22/octo/app.git", Some("github.com octo/app")),
            ("git@github.com:octo/app.git", Some("github.com octo/app")),
            ("github.com:octo/my.app", Some("github.com octo/my.app")),
            ("git://github.com/octo/app", Some("github.com octo/app")),
            ("https://gitlab.com/group/sub/app.git", None),
            ("https://github.com/octo", None),
            ("/srv/git/octo/app.git", None),
            ("./octo:app/x", None),
            ("file:///srv/git/octo/app.git", None),
            ("", None),
        ];
        for (url, expected) in cases {
            let found = RepositoryName::parse(url).map(|name| format!("{} {name}", name.host));
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }
}
