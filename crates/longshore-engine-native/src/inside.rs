//! Opening what a path means to a container, without leaving its root file system (`RESOLVE_IN_ROOT` of `openat2(2)`).

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// How often it is tried. Whoever renames without a pause cannot keep us for ever.
const TRIES: u32 = 10_000;

/// Opens something as a container would find it: links, absolute ones too, end at its root.
///
/// Where `..` is on the way, the kernel gives up when anything on the machine was renamed or mounted meanwhile, because it
/// cannot tell then whether it is still inside. Trying again is what its documentation asks for.
pub(crate) fn open_inside(root: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match openat2(root.as_fd(), path, flags | OFlags::CLOEXEC, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) if tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use rustix::fs::{Mode, OFlags, open};

    use super::open_inside;

    #[test]
    fn renames_elsewhere_do_not_close_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (directory.path().join("root"), directory.path().join("elsewhere"));
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        symlink("../../a/b/../b/c/../../../../../../a", root.join("a/b/way")).unwrap();
        let root = open(&root, OFlags::PATH, Mode::empty()).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|threads| {
            threads.spawn(|| {
                let (one, other) = (elsewhere.join("one"), elsewhere.join("other"));
                while !is_over.load(Ordering::Relaxed) {
                    fs::write(&one, "").unwrap();
                    fs::rename(&one, &other).unwrap();
                }
            });
            let ways: Vec<_> = (0..2000).map(|_| open_inside(&root, "/a/b/way/b", OFlags::PATH)).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(ways.iter().all(Result::is_ok), "{:?}", ways.iter().find(|way| way.is_err()));
        });
        assert!(open_inside(&root, "/a/b/way/none", OFlags::PATH).is_err());
    }
}
