//! Digests.

use longshore_oci::{Algorithm, Digest, DigestError, Hasher};
use proptest::prelude::*;

#[test]
fn the_grammar_is_that_of_the_specification() {
    let hex = "0123456789abcdef".repeat(4);
    let ok = Ok(());
    let (format, length) = (Err(DigestError::InvalidFormat), Err(DigestError::InvalidLength));
    for (text, expected) in [
        (format!("sha256:{hex}"), ok),
        (format!("sha512:{hex}{hex}"), ok),
        (format!("sha384:{}", "0".repeat(96)), ok),
        ("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564".to_owned(), ok),
        ("a:b".to_owned(), ok),
        (format!("sha256:{}", hex.to_uppercase()), format),
        (format!("sha256:{hex}0"), length),
        (format!("sha512:{hex}"), length),
        (format!("SHA256:{hex}"), format),
        ("sha256:".to_owned(), format),
        (":abc".to_owned(), format),
        ("abc".to_owned(), format),
        (String::new(), format),
        ("a++b:c".to_owned(), format),
        ("a+:c".to_owned(), format),
        ("a:b/c".to_owned(), format),
        ("a:../b".to_owned(), format),
        ("a:b:c".to_owned(), format),
    ] {
        assert_eq!(Digest::parse(&text).map(|_| ()), expected, "for {text:?}");
    }
}

#[test]
fn content_is_verified() {
    let digest = Digest::of(b"{}");
    assert_eq!(digest.as_str(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(digest.verify(b"{}"), Ok(true));
    assert_eq!(digest.verify(b"{ }"), Ok(false));
    let empty = Algorithm::Sha512.digest(b"");
    assert!(empty.encoded().starts_with("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"));
    let unknown = Digest::parse("blake9:00").unwrap();
    assert_eq!((unknown.algorithm_name(), unknown.encoded(), unknown.algorithm()), ("blake9", "00", None));
    assert_eq!(unknown.verify(b""), Err(DigestError::Unsupported));
}

proptest! {
    #[test]
    fn parts_hash_like_the_whole(bytes: Vec<u8>, cut: prop::sample::Index) {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let (front, back) = bytes.split_at(if bytes.is_empty() { 0 } else { cut.index(bytes.len()) });
            let mut hasher = Hasher::new(algorithm);
            hasher.update(front);
            hasher.update(back);
            let digest = hasher.finish();
            prop_assert_eq!(&digest, &algorithm.digest(&bytes));
            prop_assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
        }
    }
}
