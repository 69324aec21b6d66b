//! How many lines of a step's output are read in a second, with secrets to mask.

#![forbid(unsafe_code)]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use longshore_event::Masker;
use longshore_runner::command::{Matchers, OutputReader, StepFiles, StepOutput, StepOutputOptions};

const LINES: usize = 100_000;

fn main() {
    divan::main();
}

/// A step that names no files.
struct NoFiles;

impl StepFiles for NoFiles {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }

    fn in_repository(&self, _path: &str) -> Option<String> {
        None
    }
}

fn secrets() -> Arc<Masker> {
    let masker = Masker::default();
    masker.add([
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "hunter2-and-more",
        "correct horse battery staple",
    ]);
    Arc::new(masker)
}

fn read(bencher: Bencher<'_, '_>, matchers: &Arc<Matchers>, line: impl Fn(usize) -> String) {
    let text: String = (0..LINES).map(|number| line(number) + "\n").collect();
    let masker = secrets();
    bencher.counter(ItemsCount::new(LINES)).counter(BytesCount::of_str(&text)).bench_local(|| {
        let options = StepOutputOptions::default();
        let output = StepOutput::new(options, Arc::clone(&masker), Arc::clone(matchers), Arc::new(NoFiles));
        let mut reader = OutputReader::new(Arc::new(output));
        text.as_bytes().chunks(64 * 1024).map(|bytes| reader.read(bytes).len()).sum::<usize>()
    });
}

fn plain(number: usize) -> String {
    format!("2026-11-21T15:01:35Z INFO compile: [{number:6}] building crates/some/path/to/a/file.rs ok")
}

#[divan::bench]
fn plain_lines(bencher: Bencher<'_, '_>) {
    read(bencher, &Arc::default(), plain);
}

#[divan::bench]
fn lines_with_secrets(bencher: Bencher<'_, '_>) {
    read(bencher, &Arc::default(), |number| {
        format!("{number:6} logging in with hunter2-and-more at registry.example.com")
    });
}

#[divan::bench]
fn groups(bencher: Bencher<'_, '_>) {
    read(bencher, &Arc::default(), |number| {
        format!("::group::part {number} of something that has a name of some length")
    });
}

#[divan::bench]
fn lines_for_matchers(bencher: Bencher<'_, '_>) {
    let matchers = Matchers::default();
    let file = br#"{"problemMatcher":[{"owner":"gcc","pattern":[{"message":5,"severity":4,
        "regexp":"^(.*):(\\d+):(\\d+):\\s+(warning|error):\\s+(.*)$"}]}]}"#;
    let added = matchers.add(file);
    assert!(added.is_ok_and(|added| added.warnings.is_empty()));
    read(bencher, &Arc::new(matchers), plain);
}
