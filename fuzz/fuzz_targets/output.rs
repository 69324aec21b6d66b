//! What a step prints is carried out within limits, whatever it is; how its bytes arrive changes nothing, and secrets stay
//! masked. The first line is a file of problem matchers, the rest is printed.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use longshore_event::Masker;
use longshore_runner::command::{
    Effect, Matchers, OutputReader, StepFiles, StepOutput, StepOutputOptions, WorkflowCommand,
};

const SECRET: &str = "hunter2-hunter2";

struct Files(Vec<u8>);

impl StepFiles for Files {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        path.strip_prefix("/w/").map(str::to_owned)
    }
}

fn effects(file: &[u8], chunks: &[&[u8]]) -> (Vec<String>, Vec<String>) {
    let options = StepOutputOptions {
        workspace: "/w".to_owned(),
        debug: true,
        allow_unsecure_commands: true,
        allow_unsecure_stop_tokens: false,
    };
    let masker = Arc::new(Masker::default());
    masker.add([SECRET]);
    let matchers = Arc::new(Matchers::default());
    let _ = matchers.add(file);
    let files = Arc::new(Files(file.to_vec()));
    let mut reader = OutputReader::new(Arc::new(StepOutput::new(options, masker, matchers, files)));
    let mut all = Vec::new();
    for chunk in chunks {
        all.extend(reader.read(chunk));
        let _ = reader.partial();
    }
    all.extend(reader.flush());
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    for effect in all {
        match effect {
            Effect::Lines(more) => lines.extend(more),
            other => others.push(format!("{other:?}")),
        }
    }
    (lines, others)
}

fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (file, rest) = data.split_at(cut);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let whole = effects(file, &[rest]);
    let bytes: Vec<&[u8]> = rest.chunks(1).collect();
    assert_eq!(whole, effects(file, &bytes), "how bytes arrive makes a difference");
    for line in &whole.0 {
        assert!(!line.contains(SECRET), "a secret is shown: {line:?}");
    }
    for line in rest.split(|byte| *byte == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            let _ = WorkflowCommand::parse(line, |_| true);
        }
    }
});
