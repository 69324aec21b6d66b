//! Any text is read as a workflow and as an action, with every finding inside of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_syntax::SourceFile;
use longshore_workflow::{parse_action, parse_workflow};

fuzz_target!(|text: &str| {
    let file = SourceFile::new(".github/workflows/fuzz.yml", text);
    let findings = parse_workflow(&file).diagnostics().into_iter().chain(parse_action(&file).diagnostics());
    for diagnostic in findings {
        assert!(diagnostic.span.end as usize <= text.len(), "{diagnostic:?}");
        let _ = file.position(diagnostic.span.start);
    }
});
