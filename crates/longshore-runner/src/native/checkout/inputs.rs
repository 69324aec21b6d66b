//! The inputs of `actions/checkout`, read as the action reads them.

use std::path::{Component, Path, PathBuf};

use crate::handler::Inputs;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an input of the action")]
pub(super) struct Wish {
    /// `owner/name`; none for the repository of the run.
    pub(super) repository: Option<String>,
    /// A branch, tag or commit; empty for that of the run.
    pub(super) reference: String,
    /// Below the workspace.
    pub(super) path: PathBuf,
    /// Whether what is there gives way even if it is a checkout.
    pub(super) clean: bool,
    /// How many commits are seen; 0 for all.
    pub(super) depth: u32,
    pub(super) tags: bool,
    pub(super) lfs: bool,
    pub(super) submodules: Submodules,
    /// The patterns of a sparse checkout, and whether they are directories.
    pub(super) sparse: Option<(Vec<String>, bool)>,
    pub(super) server: Option<String>,
    pub(super) token: String,
    pub(super) persist: bool,
    pub(super) ssh: Option<SshKey>,
}

/// How submodules are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Submodules {
    None,
    Direct,
    Recursive,
}

/// With what `ssh` shall be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SshKey {
    pub(super) key: String,
    pub(super) known_hosts: String,
    pub(super) strict: bool,
    pub(super) user: String,
}

impl Wish {
    /// Reads the inputs; `own` is the repository of the run and `workspace` its directory inside.
    pub(super) fn read(inputs: &Inputs, own: &str, workspace: &str) -> Result<Self, String> {
        let text = |name: &str| inputs.text(name).trim();
        let or = |name: &str, default: &'static str| -> String {
            let given = text(name);
            if given.is_empty() { default.to_owned() } else { given.to_owned() }
        };
        let holds = |name: &str, default: &'static str| or(name, default).eq_ignore_ascii_case("true");
        let repository = text("repository");
        let is_name = |name: &str| {
            let parts: Vec<&str> = name.split('/').collect();
            parts.len() == 2
                && parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace))
        };
        if !repository.is_empty() && !is_name(repository) {
            return Err(format!("Invalid repository '{repository}'. Expected format {{owner}}/{{repo}}."));
        }
        let patterns = lines(inputs.text("sparse-checkout"));
        let sparse = (!patterns.is_empty()).then(|| (patterns, holds("sparse-checkout-cone-mode", "true")));
        let key = inputs.text("ssh-key");
        Ok(Self {
            repository: Some(repository)
                .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(own))
                .map(str::to_owned),
            reference: text("ref").to_owned(),
            path: below(text("path"), workspace)?,
            clean: holds("clean", "true"),
            depth: depth(&or("fetch-depth", "1")),
            tags: holds("fetch-tags", "false"),
            lfs: holds("lfs", "false"),
            submodules: match or("submodules", "false").to_ascii_lowercase().as_str() {
                "true" => Submodules::Direct,
                "recursive" => Submodules::Recursive,
                _ => Submodules::None,
            },
            sparse,
            server: Some(text("github-server-url")).filter(|url| !url.is_empty()).map(str::to_owned),
            token: inputs.get("token").unwrap_or_default().trim().to_owned(),
            persist: holds("persist-credentials", "true"),
            ssh: (!key.trim().is_empty()).then(|| SshKey {
                key: format!("{}\n", key.trim_end()),
                known_hosts: inputs.text("ssh-known-hosts").to_owned(),
                strict: holds("ssh-strict", "true"),
                user: or("ssh-user", "git"),
            }),
        })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A number as JavaScript reads it; what is none, or below zero, is zero.
fn depth(text: &str) -> u32 {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    // Numbers that are too large end at the largest.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast cuts off as wanted"
    )]
    number.map_or(0, |number| number.floor() as u32)
}

/// The path below the workspace, which `path` must not leave.
fn below(path: &str, workspace: &str) -> Result<PathBuf, String> {
    let full = Path::new(workspace).join(if path.is_empty() { "." } else { path });
    let mut resolved = PathBuf::new();
    for component in full.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    let outside = || format!("Repository path '{}' is not under '{workspace}'", resolved.display());
    resolved.strip_prefix(workspace).map(Path::to_owned).map_err(|_| outside())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Submodules, Wish, below, depth};
    use crate::handler::Inputs;

    fn wish(given: &[(&str, &str)]) -> Result<Wish, String> {
        let mut inputs = Inputs::default();
        for (name, value) in given {
            inputs.set_default(name, (*value).to_owned());
        }
        Wish::read(&inputs, "acme/shop", "/w/shop/shop")
    }

    #[test]
    fn nothing_given_is_the_repository_of_the_run() {
        let wish = wish(&[]).unwrap();
        assert_eq!((wish.repository, wish.reference.as_str(), wish.depth), (None, "", 1));
        assert!(wish.clean && wish.persist && !wish.tags && !wish.lfs);
        assert_eq!((wish.path.as_path(), wish.submodules), (Path::new(""), Submodules::None));
        assert_eq!(wish.sparse, None);
    }

    #[test]
    fn inputs_are_read_as_the_action_reads_them() {
        let given = [
            ("Repository", "ACME/shop"),
            ("fetch-depth", "0"),
            ("clean", "FALSE"),
            ("submodules", "Recursive"),
            ("sparse-checkout", "a\n\n b \n"),
            ("path", "sub/../other"),
        ];
        let wish = wish(&given).unwrap();
        assert_eq!((wish.repository, wish.depth, wish.clean), (None, 0, false));
        assert_eq!(wish.submodules, Submodules::Recursive);
        assert_eq!(wish.sparse, Some((vec!["a".to_owned(), "b".to_owned()], true)));
        assert_eq!(wish.path, Path::new("other"));
    }

    #[test]
    fn depths_are_numbers_of_javascript() {
        for (text, wanted) in [("1", 1), ("2.9", 2), ("-1", 0), ("all", 0), ("1e3", 1000), ("1e99", u32::MAX)]
        {
            assert_eq!(depth(text), wanted, "{text}");
        }
    }

    #[test]
    fn paths_stay_in_the_workspace() {
        let workspace = "/w/shop/shop";
        assert_eq!(below("", workspace).unwrap(), Path::new(""));
        assert_eq!(below("/w/shop/shop/a", workspace).unwrap(), Path::new("a"));
        for path in ["..", "../shopping", "/etc", "a/../../b"] {
            assert!(below(path, workspace).unwrap_err().contains("is not under"), "{path}");
        }
        assert!(wish(&[("repository", "one")]).unwrap_err().contains("Invalid repository 'one'"));
    }
}
