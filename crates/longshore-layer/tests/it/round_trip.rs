//! Any tree that is packed and unpacked is the same tree, and no archive reaches what is outside of the target.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use longshore_layer::archive::{Builder, Entry, EntryKind};
use longshore_layer::{PackOptions, Whiteouts, pack};
use proptest::prelude::*;

use crate::scene::Scene;

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>, u32),
    Directory(u32),
    Symlink(String),
    HardLink,
}

fn any_node() -> impl Strategy<Value = (String, Node)> {
    let path = proptest::collection::vec("[a-d]{1,3}", 1..4).prop_map(|parts| parts.join("/"));
    let node = prop_oneof![
        (proptest::collection::vec(any::<u8>(), 0..2000), 0..0o1000_u32)
            .prop_map(|(content, mode)| Node::File(content, mode | 0o400)),
        (0..0o2000_u32).prop_map(|mode| Node::Directory(mode | 0o700)),
        "[a-z./]{1,12}".prop_map(Node::Symlink),
        Just(Node::HardLink),
    ];
    (path, node)
}

/// Makes a tree as far as names allow.
fn grow(scene: &Scene, nodes: &[(String, Node)]) {
    let mut last_file = None;
    for (path, node) in nodes {
        let path = scene.at(path);
        if fs::symlink_metadata(&path).is_ok() || fs::create_dir_all(path.parent().unwrap()).is_err() {
            continue;
        }
        // The parent may be a link out of the tree, where nothing must be made.
        let inside = fs::canonicalize(path.parent().unwrap());
        if !inside.is_ok_and(|parent| parent.starts_with(fs::canonicalize(scene.target()).unwrap())) {
            continue;
        }
        match node {
            Node::File(content, mode) => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                last_file = Some(path);
            }
            Node::Directory(mode) => {
                fs::create_dir(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
            Node::Symlink(text) => symlink(text, &path).unwrap(),
            Node::HardLink => {
                if let Some(file) = &last_file {
                    fs::hard_link(file, &path).unwrap();
                }
            }
        }
    }
}

/// Names and texts that try to get out, mixed with ones that do not.
fn any_hostile_entry() -> impl Strategy<Value = (Entry, Vec<u8>)> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just(".."),
        Just("outside"),
        Just("canary"),
        Just(".wh.a"),
        Just(".wh.canary"),
        Just(".wh..wh..opq"),
        Just("."),
        Just(""),
        Just(".wh..."),
    ];
    let path = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let kind = prop_oneof![
        3 => Just(EntryKind::File),
        2 => Just(EntryKind::Directory),
        2 => path.clone().prop_map(|text| EntryKind::Symlink(text.into())),
        1 => path.clone().prop_map(|text| EntryKind::Symlink(format!("../{text}").into())),
        1 => path.clone().prop_map(|text| EntryKind::Symlink(format!("/{text}").into())),
        2 => path.clone().prop_map(|text| EntryKind::HardLink(text.into())),
        1 => Just(EntryKind::Fifo),
    ];
    (path, kind, proptest::collection::vec(any::<u8>(), 0..20)).prop_map(|(path, kind, content)| {
        let mut entry = Entry::new(path, kind);
        entry.size = if entry.kind == EntryKind::File { content.len() as u64 } else { 0 };
        (entry, content)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn packed_trees_unpack_to_themselves(nodes in proptest::collection::vec(any_node(), 0..30)) {
        let (first, second) = (Scene::new(), Scene::new());
        grow(&first, &nodes);
        let options = PackOptions { fractions: true, ..PackOptions::default() };
        let (mut once, mut again) = (Vec::new(), Vec::new());
        pack(&first.target(), &mut once, &options).unwrap();
        let applied = second.apply(&once).unwrap();
        prop_assert!(applied.implied_directories.is_empty());
        pack(&second.target(), &mut again, &options).unwrap();
        prop_assert!(once == again, "the second archive differs");
    }

    #[test]
    fn nothing_outside_is_touched(
        entries in proptest::collection::vec(any_hostile_entry(), 1..12),
        delete in any::<bool>(),
    ) {
        let mut scene = Scene::new();
        if delete {
            scene.options.whiteouts = Whiteouts::Delete;
        }
        // One by one, so that a refused entry does not save the rest from being tried.
        for (entry, content) in &entries {
            let mut builder = Builder::new(Vec::new());
            builder.append(entry, content.as_slice()).unwrap();
            let _ = scene.apply(&builder.finish().unwrap());
        }
        let mut builder = Builder::new(Vec::new());
        for (entry, content) in &entries {
            builder.append(entry, content.as_slice()).unwrap();
        }
        let archive = builder.finish().unwrap();
        let fresh = Scene::new();
        let _ = fresh.apply(&archive);
    }
}
