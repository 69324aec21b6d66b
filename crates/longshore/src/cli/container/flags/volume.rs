//! `--volume`: `[SOURCE:]TARGET[:MODE]`, see Docker's "Use volumes".
//!
//! A source that begins with `/` or `.` is a path of this machine and made if it does not exist, every other one is the
//! name of a volume.

use std::path::{Path, PathBuf};

use longshore_engine::{Bind, Mount, MountKind, Propagation};

use super::FlagError;

/// Reads the value of `--volume`.
pub(super) fn parse(text: &str, directory: &Path) -> Result<Mount, FlagError> {
    let wrong = |why: &str| FlagError::value("--volume", text, why);
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, mode] => (Some(source), target, mode),
        _ => return Err(wrong("it has more than three parts").help("use `--mount` for paths with colons")),
    };
    if target.is_empty() || source.is_some_and(str::is_empty) {
        return Err(wrong("a part of it is empty"));
    }
    if !target.starts_with('/') {
        return Err(wrong("the place in the container must be an absolute path"));
    }
    let mode = Mode::read(mode).map_err(|why| wrong(&why))?;
    let kind = match source {
        Some(source) if source.starts_with(['/', '.', '~']) => {
            if mode.no_copy {
                return Err(wrong("`nocopy` is for volumes"));
            }
            MountKind::Bind(Bind {
                source: absolute(source, directory),
                create: true,
                propagation: mode.propagation.unwrap_or_default(),
                non_recursive: false,
            })
        }
        name => {
            if mode.propagation.is_some() {
                return Err(wrong("propagation is for directories of this machine"));
            }
            if let Some(name) = name.filter(|name| name.contains('/')) {
                return Err(wrong(&format!("`{name}` is neither a path nor the name of a volume"))
                    .help(&format!("if you mean a directory here, write `./{name}`")));
            }
            MountKind::Volume { name: name.map(str::to_owned), no_copy: mode.no_copy, subpath: None }
        }
    };
    Ok(Mount { kind, target: target.to_owned(), read_only: mode.read_only })
}

/// A path as this process sees it, without `.` and doubled slashes.
pub(super) fn absolute(path: &str, directory: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in directory.join(path).components() {
        match part {
            std::path::Component::Normal(name) => clean.push(name),
            std::path::Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}

/// What the words of the last part say.
#[derive(Debug, Default)]
struct Mode {
    read_only: bool,
    no_copy: bool,
    propagation: Option<Propagation>,
}

impl Mode {
    fn read(text: &str) -> Result<Self, String> {
        let mut mode = Self::default();
        let mut access = None;
        for word in text.split(',').filter(|_| !text.is_empty()) {
            match word {
                "ro" | "readonly" | "rw" => {
                    if access.replace(word).is_some_and(|before| before != word) {
                        return Err("`ro` and `rw` exclude each other".to_owned());
                    }
                    mode.read_only = word != "rw";
                }
                // Labels of SELinux, which this engine does not use, and hints for virtual machines.
                "z" | "Z" | "cached" | "delegated" | "consistent" => {}
                "nocopy" => mode.no_copy = true,
                word => {
                    let new = propagation(word).ok_or_else(|| format!("`{word}` is no mode"))?;
                    if mode.propagation.replace(new).is_some() {
                        return Err("there is more than one propagation".to_owned());
                    }
                }
            }
        }
        Ok(mode)
    }
}

/// The propagation of a name.
pub(super) fn propagation(name: &str) -> Option<Propagation> {
    Some(match name {
        "rprivate" => Propagation::Rprivate,
        "private" => Propagation::Private,
        "rslave" => Propagation::Rslave,
        "slave" => Propagation::Slave,
        "rshared" => Propagation::Rshared,
        "shared" => Propagation::Shared,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        let mount = parse(text, Path::new("/work/here")).map_err(|error| error.to_string())?;
        let what = match mount.kind {
            MountKind::Bind(bind) => format!("bind {} {:?}", bind.source.display(), bind.propagation),
            MountKind::Volume { name, no_copy, .. } => format!("volume {name:?} {no_copy}"),
            MountKind::Tmpfs(_) => "tmpfs".to_owned(),
        };
        Ok(format!("{what} {} {}", mount.target, mount.read_only))
    }

    #[test]
    fn volumes_have_up_to_three_parts() {
        for (text, expected) in [
            ("/data", "volume None false /data false"),
            ("db:/data", "volume Some(\"db\") false /data false"),
            ("db:/data:nocopy,ro", "volume Some(\"db\") true /data true"),
            ("/src:/dst:ro", "bind /src Rprivate /dst true"),
            ("/src:/dst:rw,z,cached", "bind /src Rprivate /dst false"),
            ("./x/../y:/dst:rslave", "bind /work/here/y Rslave /dst false"),
            (".:/dst", "bind /work/here Rprivate /dst false"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            ":/x",
            "a:",
            "a:b",
            "rel",
            "a/b:/x",
            "/a:/b:ro,rw",
            "/a:/b:what",
            "/a:/b:c:d",
            "db:/x:rslave",
            "/a:/b:slave,shared",
            "/a:/b:nocopy",
        ] {
            assert!(shown(text).is_err(), "{text}");
        }
    }
}
