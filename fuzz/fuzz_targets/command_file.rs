//! A file by which a step sets variables, outputs and paths is read, or refused with a line that it has.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_workflow::file_command::{
    FileCommandKind, blocked_message, env_disposition, parse_pairs, parse_paths,
};

fuzz_target!(|text: &str| {
    for kind in [FileCommandKind::Env, FileCommandKind::Output, FileCommandKind::State] {
        let pairs = match parse_pairs(kind, text) {
            Ok(pairs) => pairs,
            Err(error) => {
                assert!(error.line >= 1 && error.line <= text.split('\n').count(), "line {}", error.line);
                error.taken
            }
        };
        for (name, value) in pairs {
            assert!(text.contains(&*name) && text.contains(&*value), "{name:?} {value:?}");
            let _ = (env_disposition(&name), blocked_message(&name));
        }
    }
    for path in parse_paths(text) {
        assert!(!path.is_empty() && !path.contains(['\n', '\r']), "{path:?}");
    }
});
