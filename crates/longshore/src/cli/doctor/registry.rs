//! Registries: for which there are logins (never what they are), and where settings send requests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::CheckDto;
use crate::cli::Session;

/// Longer files are no configurations.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn checks(session: &Session) -> Vec<CheckDto> {
    let sources = session.wiring().credential_sources();
    let files: Vec<PathBuf> = sources.own.into_iter().chain(sources.docker).collect();
    vec![logins(&files), rules(session)]
}

/// Where settings send requests for images.
fn rules(session: &Session) -> CheckDto {
    const ID: &str = "registry.rules";
    let registries = &session.settings.registries;
    let lines = registries.iter().map(|(prefix, rule)| {
        let rule = &rule.value;
        let mirrors: Vec<&str> = rule.mirrors.iter().map(|mirror| mirror.location.as_str()).collect();
        let mut says = Vec::new();
        says.extend((!mirrors.is_empty()).then(|| format!("mirrors {}", mirrors.join(", "))));
        says.extend(rule.location.as_ref().map(|location| format!("at {location}")));
        says.extend(rule.access.insecure.then(|| "insecure".to_owned()));
        says.extend(rule.blocked.then(|| "blocked".to_owned()));
        format!("{prefix}: {}", says.join("; "))
    });
    if !session.settings.network.value {
        return CheckDto::note(ID, "no registry is asked: the setting `network` is off").detail(lines);
    }
    match registries.len() {
        0 => CheckDto::ok(ID, "none: images come from the registry that their name says"),
        number => CheckDto::ok(ID, longshore_report::count(number, "rule")).detail(lines),
    }
}

fn logins(files: &[PathBuf]) -> CheckDto {
    const ID: &str = "registry.logins";
    let mut names = BTreeSet::new();
    for path in files {
        match read(path) {
            Ok(Some(config)) => names.extend(accounts(&config)),
            Ok(None) => {}
            Err(why) => {
                return CheckDto::warning(ID, format!("`{}` cannot be used", path.display()))
                    .detail([why])
                    .help("mend or remove the file, and log in again: `longshore login`");
            }
        }
    }
    if names.is_empty() {
        return CheckDto::ok(ID, "none; images that everybody may have need none");
    }
    CheckDto::ok(ID, names.into_iter().collect::<Vec<_>>().join(", "))
}

/// A file's object; none if there is no file, or an empty one.
fn read(path: &Path) -> Result<Option<Value>, String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(metadata) if metadata.len() > MAX_BYTES => return Err("it is too long".to_owned()),
        Ok(_) => {}
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&text).map(Some).map_err(|error| error.to_string())
}

/// The registries that a configuration has logins or helpers for.
fn accounts(config: &Value) -> Vec<String> {
    let keys =
        |name: &str| config.get(name).and_then(Value::as_object).into_iter().flat_map(|table| table.keys());
    let mut names: Vec<String> = keys("auths").map(|key| host(key)).collect();
    let helpers = config.get("credHelpers").and_then(Value::as_object);
    for (key, helper) in helpers.into_iter().flatten() {
        names.push(format!("{} (helper {})", host(key), helper.as_str().unwrap_or("?")));
    }
    if let Some(store) = config.get("credsStore").and_then(Value::as_str) {
        names.push(format!("those of the helper {store}"));
    }
    names
}

/// The registry that a key means: keys may be addresses.
fn host(key: &str) -> String {
    let after = key.split_once("://").map_or(key, |(_, after)| after);
    after.split('/').next().unwrap_or(after).to_owned()
}
