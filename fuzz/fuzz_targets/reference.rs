//! Any text is an image reference that prints to itself, a document that is valid and then read, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_oci::{Digest, ImageConfig, Index, Manifest, MediaType, Platform, Reference, validate};

fuzz_target!(|text: &str| {
    if let Ok(reference) = Reference::parse(text) {
        let again = Reference::parse(&reference.to_string()).expect("what is printed parses");
        assert_eq!(again, reference);
        let _ = Reference::parse(&reference.familiar());
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(platform) = Platform::parse(text, &Platform::new("linux", "arm64")) {
        assert!(platform.matches(&platform));
        assert!(platform.candidates().len() < 80);
    }
    let valid = |media_type: &str| validate(media_type, text).is_ok_and(|problems| problems.is_empty());
    let manifest = Manifest::read(None, text.as_bytes());
    assert!(manifest.is_ok() || !valid(MediaType::OCI_MANIFEST));
    let index = Index::read(None, text.as_bytes());
    assert!(index.is_ok() || !valid(MediaType::OCI_INDEX));
    assert!(manifest.is_err() || index.is_err(), "a document is one thing");
    let config = ImageConfig::read(text.as_bytes());
    assert!(config.is_ok() || !valid(MediaType::OCI_CONFIG));
});
