//! Any bytes are an encrypted file that opens, or an error; with bounded work. Keys are read or refused.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use longshore_secrets::age::{
    Identity, Recipients, decrypt, encrypt, parse_identities, parse_recipients, wants_passphrase,
};

const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    parse_identities(KEY).map(|keys| keys.into_iter().map(Identity::Key).collect()).unwrap_or_default()
});

fuzz_target!(|data: &[u8]| {
    let _ = wants_passphrase(data);
    let _ = decrypt(data, &IDENTITIES);
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(keys) = parse_identities(text) {
            for key in &keys {
                assert!(parse_recipients(&key.public().to_string()).is_ok());
            }
            let publics = keys.iter().map(|key| key.public()).collect();
            if let Ok(file) = encrypt(data, &Recipients::Keys(publics)) {
                let identities: Vec<Identity> = keys.into_iter().map(Identity::Key).collect();
                assert_eq!(decrypt(&file, &identities).ok().as_deref(), Some(data));
            }
        }
        let _ = parse_recipients(text);
    }
});
