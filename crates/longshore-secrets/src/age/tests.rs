//! Files that we and others write.

use longshore_core::Secret;
use proptest::prelude::*;

use super::*;

fn key(text: &str) -> SecretKey {
    text.parse().unwrap()
}

#[test]
fn keys_are_written_as_others_write_them() {
    let secret = SecretKey::generate().unwrap();
    let text = secret.to_text();
    assert!(text.expose().starts_with("AGE-SECRET-KEY-1"), "the prefix");
    assert_eq!(key(text.expose()).public(), secret.public());
    let public = secret.public().to_string();
    assert!(public.starts_with("age1") && public.len() == 62, "{public}");
    assert_eq!(public.parse(), Ok(secret.public()));
    let mut wrong = public.clone();
    wrong.replace_range(10..11, if public.as_bytes()[10] == b'q' { "p" } else { "q" });
    assert_eq!(wrong.parse::<PublicKey>(), Err(KeyError::NotAKey));
    assert!(public.to_uppercase().parse::<PublicKey>().is_ok(), "either case");
    assert_eq!(format!("{secret:?}"), "SecretKey");
}

#[test]
fn files_of_keys_have_comments() {
    let text = format!("# made today\n\n{}\n", SecretKey::generate().unwrap().to_text().expose());
    assert_eq!(parse_identities(&text).unwrap().len(), 1);
    assert_eq!(parse_identities("# x\nAGE").unwrap_err(), KeyError::Line { line: 2 });
    assert_eq!(parse_recipients("").unwrap_err(), KeyError::Empty);
}

#[test]
fn each_recipient_opens_a_file_and_nobody_else() {
    let keys: Vec<SecretKey> = (0..3).map(|_| SecretKey::generate().unwrap()).collect();
    let recipients = Recipients::Keys(keys[..2].iter().map(SecretKey::public).collect());
    let file = encrypt(b"TOKEN=1\n", &recipients).unwrap();
    assert!(file.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
    for key in &keys[..2] {
        assert_eq!(decrypt(&file, &[Identity::Key(key.clone())]).unwrap(), b"TOKEN=1\n");
    }
    assert_eq!(decrypt(&file, &[Identity::Key(keys[2].clone())]), Err(DecryptError::NoMatch));
    assert_eq!(wants_passphrase(&file), Ok(false));
    assert_eq!(encrypt(b"", &Recipients::Keys(Vec::new())), Err(EncryptError::Nobody));
}

#[test]
fn a_passphrase_opens_a_file() {
    let passphrase = |text: &str| Secret::new(text.to_owned());
    let file = encrypt_with(b"x", &Recipients::Passphrase(passphrase("correct horse")), 4).unwrap();
    assert_eq!(wants_passphrase(&file), Ok(true));
    assert_eq!(decrypt(&file, &[Identity::Passphrase(passphrase("correct horse"))]).unwrap(), b"x");
    let wrong = decrypt(&file, &[Identity::Passphrase(passphrase("battery"))]);
    assert_eq!(wrong, Err(DecryptError::Passphrase));
}

#[test]
fn too_much_work_is_refused_before_it_is_done() {
    let head = "age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 40\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- AAAA\n";
    let tried = decrypt(head.as_bytes(), &[Identity::Passphrase(Secret::new("x".to_owned()))]);
    assert_eq!(tried, Err(DecryptError::TooMuchWork));
}

#[test]
fn what_is_something_else_is_told() {
    for (file, error) in [
        ("", DecryptError::NotAge),
        ("TOKEN=1\n", DecryptError::NotAge),
        ("age-encryption.org/v2\n", DecryptError::Version),
        ("age-encryption.org/v1\n", DecryptError::Damaged),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", DecryptError::Damaged),
    ] {
        assert_eq!(decrypt(file.as_bytes(), &[]).unwrap_err(), error, "{file:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_sealed_opens_whatever_its_length(length in prop_oneof![0..100_usize, 65_530..65_540_usize, 131_070..131_075_usize]) {
        let key = SecretKey::generate().unwrap();
        let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let file = encrypt(&plain, &Recipients::Keys(vec![key.public()])).unwrap();
        prop_assert_eq!(decrypt(&file, &[Identity::Key(key)]).unwrap(), plain);
    }

    #[test]
    fn a_changed_byte_never_goes_unseen(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let key = SecretKey::generate().unwrap();
        let file = encrypt(b"some content", &Recipients::Keys(vec![key.public()])).unwrap();
        let mut binary = armor::open(&file).unwrap().into_owned();
        let at = at.index(binary.len());
        binary[at] ^= flip;
        prop_assert!(decrypt(&binary, &[Identity::Key(key)]).is_err());
    }

    #[test]
    fn nothing_makes_it_panic(tail in "(-> |X25519|scrypt| |A|\n|--- |9){0,30}") {
        let _ = decrypt(format!("age-encryption.org/v1\n{tail}").as_bytes(), &[]);
    }
}
