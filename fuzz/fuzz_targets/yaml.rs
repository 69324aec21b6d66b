//! Any text is YAML with spans inside of it, or a located refusal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_syntax::{Node, NodeKind, SourceFile, yaml};

fuzz_target!(|text: &str| {
    let file = SourceFile::new("fuzz.yml", text);
    match yaml::parse(&file) {
        Ok(Some(root)) => walk(&file, &root),
        Ok(None) => {}
        Err(diagnostic) => assert!(diagnostic.span.end as usize <= text.len()),
    }
});

fn walk(file: &SourceFile, node: &Node) {
    assert!(node.span.start <= node.span.end && node.span.end as usize <= file.text().len());
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            let _ = scalar.resolve();
            let length = scalar.text.len();
            let _ = node.locate(file, 0..length);
            let _ = node.locate(file, length / 2..length);
        }
        NodeKind::Sequence(items) => items.iter().take(64).for_each(|item| walk(file, item)),
        NodeKind::Mapping(entries) => entries.iter().take(64).for_each(|(key, value)| {
            walk(file, key);
            walk(file, value);
        }),
    }
}
