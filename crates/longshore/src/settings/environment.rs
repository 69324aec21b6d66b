//! Every environment variable that Longshore reads, in one table.
//!
//! `docs/environment.md` holds the same table; a test compares. A variable that begins with `LONGSHORE_` and is not in
//! the table is reported, because it is most likely a slip.

use std::collections::BTreeMap;
use std::path::PathBuf;

use longshore_syntax::suggest;

use super::value::{UnknownWord, word};
use super::{Layer, Origin, Sourced};
use crate::settings::ColorChoice;

/// The variables with what they do.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("LONGSHORE_AGE_IDENTITY", "the file of keys that opens `.secrets.age`; as `--identity`"),
    ("LONGSHORE_AGE_PASSPHRASE", "the passphrase of an encrypted file of secrets"),
    ("LONGSHORE_COLOR", "`auto`, `always` or `never`; as `--color`"),
    ("LONGSHORE_CONFIG", "a file to read in place of the project's `longshore.toml`; as `--config`"),
    ("LONGSHORE_FAIL_ON", "`note`, `warning`, `error` or `never`; as `check.fail-on`"),
    ("LONGSHORE_FORMAT", "`text` or `json`; what a verb writes where its `--format` is not given"),
    ("LONGSHORE_HOME", "the directory that holds Longshore's own state"),
    (
        "LONGSHORE_NETWORK",
        "`on` or `off`: whether other machines may be asked for anything; `off` as `--offline`",
    ),
    ("NO_COLOR", "if set and not empty, no colour, unless a flag or `LONGSHORE_COLOR` says otherwise"),
    (
        "CLICOLOR_FORCE",
        "if set and neither empty nor `0`, colour even without a terminal; weaker than `NO_COLOR`",
    ),
    ("XDG_CONFIG_HOME", "where the user's `longshore/config.toml` is; default `~/.config`"),
    ("XDG_DATA_HOME", "where the default state directory `longshore` is; default `~/.local/share`"),
    ("HOME", "the user's home directory, for the two defaults above"),
    ("DOCKER_CONFIG", "the directory of Docker's `config.json`, for logins; default `~/.docker`"),
    ("HTTP_PROXY", "the proxy for `http` addresses of registries; also in lower case"),
    ("HTTPS_PROXY", "the proxy for `https` addresses of registries; also in lower case"),
    ("NO_PROXY", "hosts that are reached without a proxy, separated by commas; also in lower case"),
    ("SSL_CERT_FILE", "certificates in PEM to trust in place of the machine's, also in jobs"),
    ("npm_config_registry", "the npm registry that Node for actions comes from; also in upper case"),
    ("SOURCE_DATE_EPOCH", "the time that new images say they were made at, in seconds since 1970"),
    ("VISUAL", "the editor of `longshore secret edit`"),
    ("EDITOR", "the same, if `VISUAL` is not set; default `vi`"),
    ("RUST_BACKTRACE", "if `1`, an internal error says where it came from"),
];

/// The variables of the process, as they were when it started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// A variable has a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadVariable {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) why: String,
}

/// Where distributions keep the certificates that programs believe: Debian and Alpine, Fedora, openSUSE, RHEL, and where
/// everybody else follows OpenSSL.
const MACHINE_CERTIFICATES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Environment {
    /// The variables of this process; names or values that are not Unicode are none of ours.
    pub(crate) fn of_process() -> Self {
        let unicode = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(unicode.collect())
    }

    /// Variables for a test.
    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a variable; an empty one counts as not set.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The file of certificates that somebody named.
    pub(crate) fn certificates(&self) -> Option<PathBuf> {
        self.var("SSL_CERT_FILE").map(PathBuf::from)
    }

    /// The file of certificates to believe: the named one, or that of the machine, which may hold those of a company. A
    /// machine without any believes those that are built in.
    pub(crate) fn believed_certificates(&self) -> Option<PathBuf> {
        let of_machine = || MACHINE_CERTIFICATES.iter().map(PathBuf::from).find(|path| path.is_file());
        self.certificates().or_else(of_machine)
    }

    /// One line for each variable that looks like ours and is not.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let known = || VARIABLES.iter().map(|(name, _)| *name);
        let ours = self.0.keys().filter(|name| name.starts_with("LONGSHORE_"));
        ours.filter(|name| !known().any(|known| known == name.as_str()))
            .map(|name| match suggest::nearest(name, known()) {
                Some(near) => {
                    format!("the environment variable `{name}` is not known; did you mean `{near}`?")
                }
                None => format!("the environment variable `{name}` is not known and has no effect"),
            })
            .collect()
    }

    /// What the variables set.
    pub(super) fn layer(&self) -> Result<Layer, BadVariable> {
        let mut layer = Layer {
            format: self.read("LONGSHORE_FORMAT", word)?,
            color: self.read("LONGSHORE_COLOR", word)?,
            network: self.read("LONGSHORE_NETWORK", switch)?,
            home: self.read("LONGSHORE_HOME", |text| Ok(PathBuf::from(text)))?,
            fail_on: self.read("LONGSHORE_FAIL_ON", word)?,
            ..Layer::default()
        };
        layer.color = layer.color.or_else(|| self.customary_color());
        Ok(layer)
    }

    /// The variables that many programs heed: <https://no-color.org>, <https://bixense.com/clicolors>.
    fn customary_color(&self) -> Option<Sourced<ColorChoice>> {
        if self.var("NO_COLOR").is_some() {
            return Some(Sourced::new(ColorChoice::Never, Origin::Variable("NO_COLOR")));
        }
        let forced = self.var("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        forced.then(|| Sourced::new(ColorChoice::Always, Origin::Variable("CLICOLOR_FORCE")))
    }

    fn read<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, UnknownWord>,
    ) -> Result<Option<Sourced<T>>, BadVariable> {
        let Some(text) = self.var(name) else { return Ok(None) };
        let value = parse(text).map_err(|unknown| BadVariable {
            name,
            value: text.to_owned(),
            why: unknown.to_string(),
        })?;
        Ok(Some(Sourced::new(value, Origin::Variable(name))))
    }
}

fn switch(text: &str) -> Result<bool, UnknownWord> {
    match text {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err(UnknownWord { known: vec!["on".to_owned(), "off".to_owned()] }),
    }
}
