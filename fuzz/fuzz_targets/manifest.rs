//! Any bytes are a manifest, an index or a configuration whose entries can be used, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_oci::{ImageConfig, Index, Manifest, MediaType, Platform, validate};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let valid = |media_type: &str| validate(media_type, &text).is_ok_and(|problems| problems.is_empty());
    let manifest = Manifest::read(None, bytes);
    let index = Index::read(None, bytes);
    assert!(manifest.is_err() || index.is_err(), "a document is one thing");
    if let Ok(manifest) = &manifest {
        assert!(manifest.total_size() >= manifest.config.size);
        let written = serde_json::to_vec(manifest).expect("what was read can be written");
        assert_eq!(Manifest::read(None, &written).as_ref(), Ok(manifest));
        let embedded = manifest.layers.iter().filter_map(|layer| layer.content().ok().flatten());
        embedded.for_each(|content| assert!(content.len() <= bytes.len()));
    }
    if let Ok(index) = &index {
        let chosen = index.select(&Platform::new("linux", "arm64"));
        assert!(chosen.len() <= index.manifests.len());
    }
    let config = ImageConfig::read(bytes);
    if std::str::from_utf8(bytes).is_ok() {
        assert!(manifest.is_ok() || !valid(MediaType::OCI_MANIFEST));
        assert!(index.is_ok() || !valid(MediaType::OCI_INDEX));
        assert!(config.is_ok() || !valid(MediaType::OCI_CONFIG));
    }
});
