//! `--mount`: `type=bind,source=…,target=…,…`, the words of a CSV line.

use std::path::Path;

use longshore_core::ByteSize;
use longshore_engine::{Bind, Mount, MountKind, Tmpfs};

use super::FlagError;
use super::volume::{absolute, propagation};

/// What the words say, before it is known what of it fits together.
#[expect(clippy::struct_excessive_bools, reason = "independent words of the line")]
#[derive(Debug, Default)]
struct Words<'a> {
    kind: Option<&'a str>,
    source: Option<&'a str>,
    target: Option<&'a str>,
    read_only: bool,
    propagation: Option<&'a str>,
    non_recursive: bool,
    create: bool,
    no_copy: bool,
    subpath: Option<&'a str>,
    tmpfs: Tmpfs,
    /// Keys that only one kind of mount has.
    of: Vec<(&'static str, &'a str)>,
}

/// Reads the value of `--mount`.
pub(super) fn parse(text: &str, directory: &Path) -> Result<Mount, FlagError> {
    let wrong = |why: String| FlagError::value("--mount", text, why);
    let fields = fields(text).map_err(|why| wrong(why.to_owned()))?;
    let mut words = Words::default();
    for field in &fields {
        words.take(field).map_err(wrong)?;
    }
    words.mount(directory).map_err(wrong)
}

impl<'a> Words<'a> {
    fn take(&mut self, field: &'a str) -> Result<(), String> {
        let (key, value) = field.split_once('=').map_or((field, None), |(key, value)| (key, Some(value)));
        let key = key.to_ascii_lowercase();
        let needed = || value.ok_or_else(|| format!("`{field}` is not `NAME=VALUE`"));
        let switch = || match value {
            None | Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(format!("`{other}` is neither true nor false")),
        };
        match key.as_str() {
            "type" => self.kind = Some(needed()?),
            "source" | "src" => self.source = Some(needed()?),
            "target" | "dst" | "destination" => self.target = Some(needed()?),
            "readonly" | "ro" => self.read_only = switch()?,
            "consistency" => {}
            "bind-propagation" => self.bind(|it, value| it.propagation = Some(value), field, needed()?),
            "bind-nonrecursive" => (self.non_recursive, ()) = (switch()?, self.of.push(("bind", field))),
            "bind-recursive" => match needed()? {
                "enabled" | "writable" => self.of.push(("bind", field)),
                "disabled" => (self.non_recursive, ()) = (true, self.of.push(("bind", field))),
                other => return Err(format!("`bind-recursive` cannot be `{other}` here")),
            },
            "bind-create-src" => (self.create, ()) = (switch()?, self.of.push(("bind", field))),
            "volume-nocopy" => (self.no_copy, ()) = (switch()?, self.of.push(("volume", field))),
            "volume-subpath" => (self.subpath, ()) = (Some(needed()?), self.of.push(("volume", field))),
            "volume-driver" if needed()? == "local" => self.of.push(("volume", field)),
            "tmpfs-size" => {
                let size: ByteSize = needed()?.parse().map_err(|error| format!("{error}"))?;
                (self.tmpfs.size, ()) = (Some(size.bytes()), self.of.push(("tmpfs", field)));
            }
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(needed()?, 8).ok().filter(|mode| *mode <= 0o7777);
                self.tmpfs.mode = Some(mode.ok_or("`tmpfs-mode` is an octal number such as `1777`")?);
                self.of.push(("tmpfs", field));
            }
            _ => return Err(format!("there is no `{key}` that this engine could do")),
        }
        Ok(())
    }

    fn bind(&mut self, set: impl FnOnce(&mut Self, &'a str), field: &'a str, value: &'a str) {
        set(self, value);
        self.of.push(("bind", field));
    }

    fn mount(self, directory: &Path) -> Result<Mount, String> {
        let kind = self.kind.unwrap_or("volume");
        if let Some((_, field)) = self.of.iter().find(|(of, _)| *of != kind) {
            return Err(format!("`{field}` does not fit the type `{kind}`"));
        }
        let target = self.target.filter(|target| !target.is_empty()).ok_or("there is no `target`")?;
        if !target.starts_with('/') {
            return Err(format!("the target `{target}` must be an absolute path"));
        }
        let source = self.source.filter(|source| !source.is_empty());
        let kind = match kind {
            "bind" => {
                let source = source.ok_or("there is no `source`, which a bind mount needs")?;
                let propagation = self
                    .propagation
                    .map(|name| propagation(name).ok_or_else(|| format!("there is no propagation `{name}`")));
                MountKind::Bind(Bind {
                    source: absolute(source, directory),
                    create: self.create,
                    propagation: propagation.transpose()?.unwrap_or_default(),
                    non_recursive: self.non_recursive,
                })
            }
            "volume" => MountKind::Volume {
                name: source.map(str::to_owned),
                no_copy: self.no_copy,
                subpath: self.subpath.map(str::to_owned),
            },
            "tmpfs" if source.is_some() => return Err("memory has no `source`".to_owned()),
            "tmpfs" => MountKind::Tmpfs(self.tmpfs),
            other => return Err(format!("the type `{other}` is none of `bind`, `volume` and `tmpfs`")),
        };
        Ok(Mount { kind, target: target.to_owned(), read_only: self.read_only })
    }
}

/// The fields of a line of CSV: in double quotes, a comma is no end and two quotes are one.
fn fields(text: &str) -> Result<Vec<String>, &'static str> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let Some(field) = fields.last_mut() else { break };
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            '"' => return Err("a quote stands in the middle of a field"),
            ',' if !quoted => fields.push(String::new()),
            char => field.push(char),
        }
    }
    if quoted {
        return Err("a quote is not closed");
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        let mount = parse(text, Path::new("/here")).map_err(|error| error.to_string())?;
        Ok(format!("{:?} {} {}", mount.kind, mount.target, mount.read_only))
    }

    #[test]
    fn mounts_are_read_or_refused() {
        let has = |text: &str, parts: &[&str]| {
            let shown = shown(text).unwrap();
            assert!(parts.iter().all(|part| shown.contains(part)), "{text}: {shown}");
        };
        has("type=bind,src=.,dst=/x,readonly", &["Bind", "\"/here\"", "create: false", "/x true"]);
        has("type=bind,source=/a,target=/x,bind-propagation=rslave,ro=false", &["Rslave", "/x false"]);
        has(
            "source=db,target=/x,volume-nocopy,volume-subpath=a/b",
            &["Some(\"db\")", "no_copy: true", "a/b"],
        );
        has("target=/x", &["Volume", "name: None"]);
        has("type=tmpfs,destination=/x,tmpfs-size=64m,tmpfs-mode=700", &["Some(67108864)", "Some(448)"]);
        has("type=bind,\"source=/a,b\",target=/x", &["/a,b"]);
        for text in [
            "",
            "type=bind,target=/x",
            "type=bind,source=/a",
            "target=x",
            "type=what,target=/x",
            "target=/x,size=1",
            "type=tmpfs,source=a,target=/x",
            "type=volume,target=/x,tmpfs-size=1",
            "type=tmpfs,target=/x,tmpfs-mode=9",
            "type=bind,source=/a,target=/x,bind-propagation=no",
            "target=/x,readonly=maybe",
            "\"target=/x",
        ] {
            assert!(shown(text).is_err(), "{text}");
        }
    }
}
