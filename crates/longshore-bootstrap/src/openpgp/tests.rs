//! Signatures that `GnuPG` 2.2 made (see `fixtures`): RSA by a subkey that ends in 2030, Ed25519 by a key that was revoked
//! later, and one over SHA-1. Signatures made in a test are in `tests/bootstrap`.

use proptest::prelude::{any, proptest};

use super::{Keyring, KeyringError, SignatureError, verify};
use crate::distribution::Distribution;
use crate::keys::keyring;

const KEYS: &str = include_str!("fixtures/keys.asc");
const RSA: &str = include_str!("fixtures/rsa.txt");
const ED25519: &str = include_str!("fixtures/revoked.txt");
const SHA1: &str = include_str!("fixtures/sha1.txt");

/// 2026-01-01 and 2031-01-01.
const NOW: i64 = 1_767_225_600;
const LATER: i64 = 1_924_992_000;

fn keys() -> Keyring {
    Keyring::read(KEYS.as_bytes()).unwrap()
}

#[test]
fn signatures_of_gnupg_are_good() {
    for text in [RSA, ED25519] {
        let signed = verify(text, &keys(), Some(NOW)).unwrap();
        assert_eq!(signed.text, "Origin: Debian\n- dashed\ntrailing blanks\n\nFrom here\nend\n");
        // Mail programs may change line ends and blanks before them, which are not signed.
        let (body, signature) = text.split_once("\n-----BEGIN PGP SIGNATURE").unwrap();
        let (head, body) = body.split_once("\n\n").unwrap();
        let changed =
            format!("{head}\n\n{}\n-----BEGIN PGP SIGNATURE{signature}", body.replace('\n', " \t\r\n"));
        assert_eq!(verify(&changed, &keys(), Some(NOW)).as_ref(), Ok(&signed));
    }
}

#[test]
fn other_texts_weak_hashes_and_old_keys_are_refused() {
    for (text, now, expected) in [
        (RSA.replace("Debian", "Debiam"), Some(NOW), "signed something else"),
        (RSA.replace("- - dashed", "- -dashed"), Some(NOW), "signed something else"),
        (RSA.replace("- - dashed", "- dashed"), Some(NOW), "signed something else"),
        (RSA.replace("- - dashed", "-dashed"), Some(NOW), "not one text"),
        (ED25519.replace("end", "ende"), Some(NOW), "signed something else"),
        (RSA.to_owned(), Some(LATER), "has expired"),
        (SHA1.to_owned(), Some(NOW), "not one text"),
    ] {
        let error = verify(&text, &keys(), now).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(verify(RSA, &keys(), None).is_ok(), "it was good when it was signed");
}

#[test]
fn revoked_keys_sign_nothing() {
    let revoked = Keyring::read(include_bytes!("fixtures/revoked.asc"));
    assert_eq!(revoked.unwrap_err(), KeyringError::Empty);
    let revoked = Keyring::read(include_bytes!("fixtures/revoked-subkey.asc"));
    assert_eq!(revoked.unwrap_err(), KeyringError::Empty);
}

#[test]
fn the_archives_of_the_distributions_have_keys() {
    for (distribution, key_ids) in [
        (
            Distribution::Debian,
            &["6ED0E7B82643E131", "78DBA3BC47EF2265", "762F67A0B2C39DE4", "F8D2585B8783D481"][..],
        ),
        (Distribution::Ubuntu, &["871920D1991BC93C"]),
    ] {
        let names = keyring(distribution).unwrap().names();
        for key_id in key_ids {
            assert!(names.iter().any(|name| name.ends_with(key_id)), "{distribution} {key_id}: {names:?}");
        }
    }
}

proptest! {
    #[test]
    fn changed_texts_do_no_harm(at in any::<proptest::sample::Index>(), byte in 0_u8..128, cut in any::<bool>()) {
        for original in [RSA, ED25519] {
            let mut changed = original.as_bytes().to_vec();
            let at = at.index(changed.len());
            if cut { changed.truncate(at) } else { changed[at] = byte }
            let text = String::from_utf8(changed).unwrap();
            let verified = verify(&text, &keys(), Some(NOW));
            if let Ok(signed) = verified {
                assert_eq!(signed.text, "Origin: Debian\n- dashed\ntrailing blanks\n\nFrom here\nend\n");
            } else {
                assert!(!matches!(verified, Err(SignatureError::ExpiredKey(_))));
            }
        }
    }

    #[test]
    fn changed_keyrings_do_no_harm(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut changed = super::armor::decode(KEYS, "PUBLIC KEY BLOCK").unwrap();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(keyring) = Keyring::read(&changed) {
            let _ = verify(RSA, &keyring, Some(NOW));
        }
    }
}
