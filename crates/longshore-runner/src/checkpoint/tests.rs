//! Trees that are changed at random come back as they were.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rustix::fs::XattrFlags;

use super::{Checkpoints, NotRestored};

/// What is seen of a tree.
type Seen = BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>;

fn see(root: &Path) -> Seen {
    let mut seen = Seen::new();
    see_below(root, Path::new(""), &mut seen);
    seen
}

fn see_below(root: &Path, below: &Path, seen: &mut Seen) {
    for entry in fs::read_dir(root.join(below)).unwrap().flatten() {
        let path = below.join(entry.file_name());
        let metadata = fs::symlink_metadata(root.join(&path)).unwrap();
        let content = if metadata.is_symlink() {
            fs::read_link(root.join(&path)).unwrap().into_os_string().into_encoded_bytes()
        } else if metadata.is_file() {
            fs::read(root.join(&path)).unwrap()
        } else {
            Vec::new()
        };
        seen.insert(path.clone(), (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content));
        if metadata.is_dir() {
            see_below(root, &path, seen);
        }
    }
}

/// What a step does to one of a few paths.
#[derive(Debug, Clone)]
enum Deed {
    Write(usize, String),
    Append(usize, String),
    Remove(usize),
    Directory(usize),
    Link(usize, usize),
    Twin(usize, usize),
    Mode(usize, u32),
    Rename(usize, usize),
}

const PATHS: [&str; 8] = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "l"];

impl Deed {
    /// What is not possible is not done.
    fn act(&self, root: &Path) {
        let at = |index: &usize| root.join(PATHS[index % PATHS.len()]);
        let _ = match self {
            Self::Write(index, text) => fs::write(at(index), text),
            Self::Append(index, text) => fs::OpenOptions::new()
                .append(true)
                .open(at(index))
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())),
            Self::Remove(index) => fs::remove_file(at(index)).or_else(|_| fs::remove_dir_all(at(index))),
            Self::Directory(index) => fs::create_dir_all(at(index)),
            Self::Link(index, target) => symlink(PATHS[target % PATHS.len()], at(index)),
            Self::Twin(index, other) => fs::hard_link(at(index), at(other)),
            Self::Mode(index, mode) => {
                fs::set_permissions(at(index), fs::Permissions::from_mode(0o700 | (mode & 0o077)))
            }
            Self::Rename(index, other) => fs::rename(at(index), at(other)),
        };
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let path = || 0..PATHS.len();
    prop_oneof![
        (path(), "[a-z]{0,5}").prop_map(|(path, text)| Deed::Write(path, text)),
        (path(), "[a-z]{1,5}").prop_map(|(path, text)| Deed::Append(path, text)),
        path().prop_map(Deed::Remove),
        path().prop_map(Deed::Directory),
        (path(), path()).prop_map(|(path, target)| Deed::Link(path, target)),
        (path(), path()).prop_map(|(path, other)| Deed::Twin(path, other)),
        (path(), 0..0o100_u32).prop_map(|(path, mode)| Deed::Mode(path, mode)),
        (path(), path()).prop_map(|(path, other)| Deed::Rename(path, other)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_step_can_be_gone_back_to(
        steps in proptest::collection::vec(proptest::collection::vec(deed(), 0..6), 1..6),
        chosen in any::<proptest::sample::Index>(),
    ) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("files");
        fs::create_dir(&root).unwrap();
        let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
        let mut seen = Vec::new();
        for (number, deeds) in (0..).zip(&steps) {
            seen.push(see(&root));
            checkpoints.take(number);
            deeds.iter().for_each(|deed| deed.act(&root));
        }
        checkpoints.save().unwrap();
        drop(checkpoints);
        let step = chosen.index(seen.len());
        let checkpoints = Checkpoints::load(place.path()).unwrap();
        checkpoints.restore(u32::try_from(step).unwrap()).unwrap();
        prop_assert_eq!(&see(&root), &seen[step]);
        // And once more from there, after other changes.
        let first = &seen[0];
        checkpoints.restore(0).unwrap();
        prop_assert_eq!(&see(&root), first);
    }
}

#[test]
fn names_of_one_file_stay_one_file() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("files");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("one"), "x").unwrap();
    fs::hard_link(root.join("one"), root.join("two")).unwrap();
    let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
    checkpoints.take(1);
    fs::remove_file(root.join("one")).unwrap();
    fs::write(root.join("two"), "y").unwrap();
    checkpoints.restore(1).unwrap();
    let inode = |name: &str| fs::metadata(root.join(name)).unwrap().ino();
    assert_eq!(inode("one"), inode("two"));
    assert_eq!(fs::read(root.join("two")).unwrap(), b"x");
}

#[test]
fn extended_attributes_come_back() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("files");
    fs::create_dir_all(root.join("directory")).unwrap();
    let set = |path: &Path, value: &[u8]| rustix::fs::setxattr(path, "user.mark", value, XattrFlags::empty());
    if set(&root.join("directory"), b"1").is_err() {
        eprintln!("skipped: no extended attributes here");
        return;
    }
    let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
    checkpoints.take(1);
    set(&root.join("directory"), b"2").unwrap();
    set(&root, b"new").unwrap();
    checkpoints.restore(1).unwrap();
    let mut value = [0; 8];
    assert_eq!(rustix::fs::getxattr(root.join("directory"), "user.mark", &mut value[..]), Ok(1));
    assert_eq!(value[0], b'1');
    assert!(rustix::fs::getxattr(&root, "user.mark", &mut value[..]).is_err());
}

#[test]
fn what_cannot_be_had_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("files");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("large"), vec![1; usize::try_from(super::policy::FEW_BYTES).unwrap() + 1]).unwrap();
    fs::write(root.join("small"), "1").unwrap();
    let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
    checkpoints.take(1);
    checkpoints.pass_over(2, "a step ran in the background");
    let before = see(&root);
    let NotRestored::Absent { why, others } = checkpoints.restore(2).unwrap_err() else { panic!() };
    assert_eq!((why.as_str(), others), ("a step ran in the background", vec![1]));
    assert_eq!(see(&root), before);
    // What nothing has touched needs no copy, whether there is one or not.
    fs::write(root.join("small"), "2").unwrap();
    checkpoints.restore(1).unwrap();
    assert_eq!(see(&root), before);
}

#[test]
fn links_lead_nowhere() {
    let place = tempfile::tempdir().unwrap();
    let (root, outside) = (place.path().join("files"), place.path().join("outside"));
    fs::create_dir_all(root.join("directory")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(root.join("directory/file"), "inside").unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
    checkpoints.take(1);
    fs::remove_dir_all(root.join("directory")).unwrap();
    symlink(&outside, root.join("directory")).unwrap();
    checkpoints.take(2);
    checkpoints.restore(1).unwrap();
    assert_eq!(fs::read(root.join("directory/file")).unwrap(), b"inside");
    checkpoints.restore(2).unwrap();
    assert_eq!(fs::read_link(root.join("directory")).unwrap(), outside);
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"outside");
}

#[test]
fn depth_is_bounded() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("files");
    let nested = ["d"; 200].join("/");
    fs::create_dir_all(root.join(nested)).unwrap();
    let checkpoints = Checkpoints::begin(place.path(), vec![root.clone()]).unwrap();
    checkpoints.take(1);
    let NotRestored::Absent { why, .. } = checkpoints.restore(1).unwrap_err() else { panic!() };
    assert!(why.contains("nested more than 128 deep"), "{why}");
}
