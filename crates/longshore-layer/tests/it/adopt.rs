//! Directories that a layer only implies.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;

use longshore_layer::adopt_directories;
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::scene::{Scene, file, is_root};

#[test]
fn the_uppermost_lower_directory_gives_its_attributes() {
    let (upper, middle, lower) = (Scene::new(), Scene::new(), Scene::new());
    let applied = upper
        .entries(&[
            file("var/lib/x", ""),
            file("etc/x", ""),
            file("none/x", ""),
            file("link/x", ""),
            file("opaque/sub/x", ""),
        ])
        .unwrap();
    for (scene, path, mode) in
        [(&middle, "var", 0o711), (&lower, "var", 0o700), (&lower, "var/lib", 0o1777), (&lower, "etc", 0o750)]
    {
        fs::create_dir_all(scene.at(path)).unwrap();
        fs::set_permissions(scene.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    setxattr(lower.at("etc"), "user.note", b"kept", XattrFlags::empty()).unwrap();
    setxattr(lower.at("etc"), "user.overlay.impure", b"y", XattrFlags::empty()).unwrap();
    fs::create_dir_all(lower.at("link")).unwrap();
    fs::set_permissions(lower.at("link"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("elsewhere", middle.at("link")).unwrap();
    // A directory below an opaque one is hidden.
    fs::create_dir_all(middle.at("opaque")).unwrap();
    setxattr(middle.at("opaque"), "user.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
    fs::create_dir_all(lower.at("opaque/sub")).unwrap();
    fs::set_permissions(lower.at("opaque/sub"), fs::Permissions::from_mode(0o700)).unwrap();
    if is_root() {
        std::os::unix::fs::chown(lower.at("etc"), Some(5), Some(6)).unwrap();
    }

    let lowers: Vec<PathBuf> = vec![middle.target(), lower.target()];
    adopt_directories(&upper.target(), &applied.implied_directories, &lowers).unwrap();

    let modes = [
        ("var", 0o711),
        ("var/lib", 0o1777),
        ("etc", 0o750),
        ("none", 0o755),
        ("link", 0o755),
        ("opaque/sub", 0o755),
    ];
    for (path, mode) in modes {
        assert_eq!(upper.stat(path).mode() & 0o7777, mode, "{path}");
    }
    let mut value = [0_u8; 4];
    assert_eq!(getxattr(upper.at("etc"), "user.note", &mut value[..]), Ok(4));
    assert!(getxattr(upper.at("etc"), "user.overlay.impure", &mut value[..]).is_err());
    if is_root() {
        assert_eq!((upper.stat("etc").uid(), upper.stat("etc").gid()), (5, 6));
    }
}
