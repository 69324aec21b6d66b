//! `--tmpfs`: `TARGET[:OPTIONS]`, with the options of `mount`.

use longshore_core::ByteSize;
use longshore_engine::{Mount, MountKind, Tmpfs};

use super::FlagError;

/// Reads the value of `--tmpfs`.
pub(super) fn parse(text: &str) -> Result<Mount, FlagError> {
    let wrong = |why: String| FlagError::value("--tmpfs", text, why);
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    if !target.starts_with('/') {
        return Err(wrong("the place in the container must be an absolute path".to_owned()));
    }
    let mut tmpfs = Tmpfs::default();
    let mut read_only = false;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("size", size)) if !size.ends_with('%') => {
                let size: ByteSize = size.parse().map_err(|error| wrong(format!("{error}")))?;
                tmpfs.size = Some(size.bytes());
            }
            Some(("mode", mode)) => {
                let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
                tmpfs.mode = Some(mode.ok_or_else(|| wrong("the mode is an octal number".to_owned()))?);
            }
            Some(("uid" | "gid" | "nr_inodes" | "nr_blocks" | "size", _)) => {
                tmpfs.options.push(option.to_owned());
            }
            None if matches!(option, "ro" | "rw") => read_only = option == "ro",
            None if matches!(
                option,
                "exec" | "noexec" | "suid" | "nosuid" | "dev" | "nodev" | "noatime" | "atime"
            ) =>
            {
                tmpfs.options.push(option.to_owned());
            }
            _ => return Err(wrong(format!("there is no option `{option}`"))),
        }
    }
    Ok(Mount { kind: MountKind::Tmpfs(tmpfs), target: target.to_owned(), read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_memory_are_read() {
        let mount = parse("/tmp:size=64m,mode=1770,exec,uid=5,ro").unwrap();
        let MountKind::Tmpfs(tmpfs) = mount.kind else { panic!("memory") };
        assert_eq!((tmpfs.size, tmpfs.mode, mount.read_only), (Some(64 << 20), Some(0o1770), true));
        assert_eq!(tmpfs.options, ["exec", "uid=5"]);
        assert!(parse("/tmp").is_ok());
        for text in ["tmp", "/tmp:what", "/tmp:size=x", "/tmp:mode=8"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
