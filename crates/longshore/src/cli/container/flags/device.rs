//! Devices: `/dev/fuse[:/dev/other[:rwm]]`.

use longshore_engine::Device;

use super::FlagError;

/// Reads the value of `--device`.
pub(super) fn parse(text: &str) -> Result<Device, FlagError> {
    let wrong = |why: &str| FlagError::value("--device", text, why);
    let parts: Vec<&str> = text.split(':').collect();
    let is_mode = |text: &str| !text.is_empty() && text.chars().all(|char| "rwm".contains(char));
    let (source, target, permissions) = match parts[..] {
        [source] => (source, source, "rwm"),
        [source, mode] if is_mode(mode) => (source, source, mode),
        [source, target] => (source, target, "rwm"),
        [source, target, mode] if is_mode(mode) => (source, target, mode),
        _ => return Err(wrong("it is not `SOURCE[:TARGET[:PERMISSIONS]]` with permissions of `rwm`")),
    };
    if !source.starts_with('/') || !target.starts_with('/') {
        return Err(wrong("paths of devices are absolute"));
    }
    Ok(Device { source: source.into(), target: target.to_owned(), permissions: permissions.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn devices_have_source_target_and_permissions() {
        let shown = |text: &str| {
            parse(text).map(|it| format!("{} {} {}", it.source.display(), it.target, it.permissions)).ok()
        };
        for (text, expected) in [
            ("/dev/fuse", "/dev/fuse /dev/fuse rwm"),
            ("/dev/fuse:r", "/dev/fuse /dev/fuse r"),
            ("/dev/fuse:/dev/x", "/dev/fuse /dev/x rwm"),
            ("/dev/fuse:/dev/x:rw", "/dev/fuse /dev/x rw"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected));
        }
        for text in ["", "fuse", "/dev/fuse:x", "/dev/fuse:/dev/x:q", "/a:/b:r:w", "vendor.com/device=1"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
