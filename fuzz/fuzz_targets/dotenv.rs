//! A file of secrets is read or refused; what is set in it is read again, and nothing else of it changes. What stands after the
//! first NUL is the value that is set.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_secrets::dotenv::{Entry, parse, remove, set};

fn pairs(entries: &[Entry]) -> Vec<(String, String)> {
    let others = entries.iter().filter(|entry| !entry.name.eq_ignore_ascii_case("NAME"));
    others.map(|entry| (entry.name.clone(), entry.value.expose().clone())).collect()
}

fuzz_target!(|input: &str| {
    let (text, value) = input.split_once('\0').unwrap_or((input, "v"));
    let Ok(entries) = parse(text) else {
        assert!(set(text, "NAME", value).is_err() && remove(text, "NAME").is_err());
        return;
    };
    let changed = set(text, "NAME", value).expect("what is read can be changed");
    let again = parse(&changed).expect("what was changed is read");
    assert_eq!(pairs(&again), pairs(&entries), "others stay");
    let last = again.iter().rfind(|entry| entry.name.eq_ignore_ascii_case("NAME"));
    assert_eq!(last.map(|entry| entry.value.expose().as_str()), Some(value));
    let removed = remove(&changed, "NAME").expect("what is read can be changed").expect("it is there");
    let left = parse(&removed).expect("what was changed is read");
    assert_eq!(pairs(&left), pairs(&entries), "others stay");
    assert!(!left.iter().any(|entry| entry.name.eq_ignore_ascii_case("NAME")));
});
