//! Layers that cost too much.

use std::io::Write as _;

use longshore_layer::archive::{Entry, EntryKind};
use longshore_layer::{ApplyError, Compression, Fault, compress};

use crate::scene::{Scene, file, symlink, tar};

fn compressed(compression: Compression, content: &[u8]) -> Vec<u8> {
    let mut writer = compress(Vec::new(), compression, None, 1);
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

#[test]
fn bombs_are_refused() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let mut scene = Scene::new();
        scene.options.limits.ratio_above = 1 << 20;
        let bomb = compressed(compression, &vec![0; 16 << 20]);
        let error = scene.apply(&bomb).unwrap_err();
        assert!(matches!(error, ApplyError::Ratio { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Layer);
    }
}

#[test]
fn each_limit_is_kept() {
    let content: &[u8] = Vec::leak(vec![7; 5000]);
    let big = (Entry::new("big", EntryKind::File), content);
    let files = tar(&[file("a", "1"), file("b", "2"), symlink("c", "b"), big]);

    let mut scene = Scene::new();
    scene.options.limits.entries = 2;
    assert!(matches!(scene.apply(&files), Err(ApplyError::Limit { what: "entries", .. })));

    let mut scene = Scene::new();
    scene.options.limits.file_bytes = 4999;
    let error = scene.apply(&files).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the layer has more than 4999 bytes in a file, the limit, at the entry `big`"
    );

    let mut scene = Scene::new();
    scene.options.limits.total_bytes = 4096;
    assert!(matches!(scene.apply(&files), Err(ApplyError::Limit { what: "bytes", entry: None, .. })));

    let mut scene = Scene::new();
    scene.options.limits.path_bytes = 10;
    let long = tar(&[file("longer-than-ten", "")]);
    assert!(matches!(scene.apply(&long), Err(ApplyError::Limit { what: "bytes in a name", .. })));

    let mut scene = Scene::new();
    scene.options.limits.header_bytes = 4096;
    let mut part = file("a", "");
    part.0.xattrs = vec![(b"user.a".to_vec(), vec![0; 5000])];
    let error = scene.entries(&[part]).unwrap_err();
    assert!(error.to_string().contains("larger than the 4096 bytes"), "{error}");
}
