//! Checks on a crate's `Cargo.toml`: its layer, its edges, its lints.

use toml::{Table, Value};

use crate::layers::{IMPURE_PACKAGES, LAYERS, PURE, TOOLS};

/// What is wrong with the manifest of `package`.
pub(super) fn check(package: &str, text: &str) -> Vec<String> {
    let path = if TOOLS.contains(&package) { package.to_owned() } else { format!("crates/{package}") };
    let complaints = match text.parse::<Table>() {
        Ok(manifest) => complaints(package, &manifest),
        Err(error) => vec![format!("not valid TOML: {}", error.message())],
    };
    complaints.into_iter().map(|complaint| format!("{path}/Cargo.toml: {complaint}")).collect()
}

fn complaints(package: &str, manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let name = manifest.get("package").and_then(|section| section.get("name")).and_then(Value::as_str);
    if name != Some(package) {
        found.push("the package must have the name of its directory".to_owned());
    }
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    if inherits != Some(true) {
        found.push("`[lints] workspace = true` is missing".to_owned());
    }
    if !super::is_known(package) {
        found.push("the crate is in no layer; decide in xtask/src/layers.rs and ARCHITECTURE.md".to_owned());
    }
    for section in ["dependencies", "build-dependencies"] {
        let dependencies = manifest.get(section).and_then(Value::as_table);
        let names = dependencies.into_iter().flat_map(Table::keys);
        found.extend(names.filter_map(|dependency| forbidden(package, dependency)));
    }
    found
}

/// Why `package` may not depend on `dependency`; `None` if it may.
fn forbidden(package: &str, dependency: &str) -> Option<String> {
    let from = LAYERS.iter().find(|layer| layer.package == package)?;
    if from.level <= PURE && IMPURE_PACKAGES.contains(&dependency) {
        return Some(format!("a pure crate may not depend on `{dependency}`"));
    }
    let to = LAYERS.iter().find(|layer| layer.package == dependency)?;
    if to.level > from.level {
        return Some(format!(
            "an edge upwards, from level {} to `{dependency}` on level {}",
            from.level, to.level
        ));
    }
    let sideways = to.level == from.level && !from.sideways.contains(&dependency);
    sideways
        .then(|| format!("the edge sideways to `{dependency}` is not in the table of xtask/src/layers.rs"))
}
