//! Certificates of registries that Docker and podman know of: `certs.d/HOST[:PORT]/*.crt` in their directories. Who has
//! told them need not tell us again; a rule of the settings counts before that.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_registry::{Access, RegistryRule};

/// The directories, under `home` those of an ordinary user.
pub(crate) fn directories(home: Option<&Path>) -> Vec<PathBuf> {
    let own = home
        .into_iter()
        .flat_map(|home| ["docker", "containers"].map(|name| home.join(".config").join(name)));
    let common = ["/etc/docker", "/etc/containers"].map(PathBuf::from);
    own.chain(common).map(|directory| directory.join("certs.d")).collect()
}

/// Adds what the directories know to rules that say nothing of how a registry is reached.
pub(crate) fn complete(mut rules: Vec<RegistryRule>, directories: &[PathBuf]) -> Vec<RegistryRule> {
    for (host, path) in directories.iter().flat_map(|directory| of(directory)) {
        let access = Access { ca_file: Some(path), ..Access::default() };
        let known = rules.iter_mut().filter(|rule| rule.prefix.split('/').next() == Some(host.as_str()));
        for rule in known.filter(|rule| rule.location.is_none() && rule.access == Access::default()) {
            rule.access = access.clone();
        }
        if rules.iter().all(|rule| rule.prefix != host) {
            rules.push(RegistryRule { prefix: host, access, ..RegistryRule::default() });
        }
    }
    rules
}

/// The hosts that have a directory with certificates of authorities, in the order of their names.
fn of(directory: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let hosts = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().into_string().ok()?, certificate(&entry.path())?))
    });
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort();
    hosts
}

/// The file of certificates in the directory of a host: `ca.crt`, or else the first.
fn certificate(directory: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "crt")).collect();
    paths.sort_by_key(|path| (!path.ends_with("ca.crt"), path.clone()));
    paths.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_knows_completes_the_rules() {
        let directory = tempfile::tempdir().unwrap();
        let file = |path: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let (one, other) = (file("one.test:5000/domain.crt"), file("other.test/ca.crt"));
        file("other.test/a.crt");
        file("insecure.test/ca.crt");
        file("none.test/client.cert");
        let rule = |prefix: &str, access: Access| RegistryRule {
            prefix: prefix.to_owned(),
            access,
            ..RegistryRule::default()
        };
        let insecure = Access { insecure: true, ..Access::default() };
        let told = |path: &PathBuf| Access { ca_file: Some(path.clone()), ..Access::default() };
        let rules = vec![rule("other.test/team", Access::default()), rule("insecure.test", insecure.clone())];
        let expected = [
            rule("other.test/team", told(&other)),
            rule("insecure.test", insecure),
            rule("one.test:5000", told(&one)),
            rule("other.test", told(&other)),
        ];
        let nowhere = directory.path().join("nowhere");
        assert_eq!(complete(rules, &[nowhere, directory.path().to_owned()]), expected);
    }
}
