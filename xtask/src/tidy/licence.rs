//! The licences of what is linked into the binary, or used to build and test it.
//!
//! Licence expressions are SPDX's (annex D of SPDX 2.3), with `/` for `OR` as older packages write it.

use std::io;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than their text and a notice.
const ACCEPTED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A line for each package of the lock file whose licence is not accepted.
pub(super) fn check(root: &Path) -> io::Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root)
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(io::Error::other)?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(packages.iter().filter_map(refuse).collect())
}

fn refuse(package: &Value) -> Option<String> {
    let licence = package["license"].as_str().unwrap_or("none named");
    if is_accepted(licence) {
        return None;
    }
    let (name, version) = (package["name"].as_str()?, package["version"].as_str()?);
    Some(format!("Cargo.lock: the licence of `{name}` {version} is not accepted: {licence}"))
}

/// Whether a licence expression can be kept with accepted licences alone.
pub(super) fn is_accepted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    any(&words, &mut at) && at == words.len()
}

fn any(words: &[&str], at: &mut usize) -> bool {
    let mut accepted = all(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        accepted |= all(words, at);
    }
    accepted
}

fn all(words: &[&str], at: &mut usize) -> bool {
    let mut accepted = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        accepted &= one(words, at);
    }
    accepted
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let accepted = any(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return accepted && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        return ACCEPTED.contains(&format!("{word} WITH {exception}").as_str());
    }
    ACCEPTED.contains(word)
}
