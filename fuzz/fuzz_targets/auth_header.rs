//! Any `WWW-Authenticate` header is read to challenges that print to themselves, and not too many of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_registry::Challenge;

fuzz_target!(|header: &str| {
    let challenges = Challenge::parse_all(header);
    assert!(challenges.len() <= 16 && challenges.iter().all(|each| each.parameters.len() <= 32));
    let printed: Vec<String> = challenges.iter().map(ToString::to_string).collect();
    let printed = printed.join(", ");
    // Escapes make a text longer, and long headers are cut.
    if printed.len() <= 16 * 1024 {
        assert_eq!(Challenge::parse_all(&printed), challenges);
    }
});
