//! A command that runs beside a test and tells events, a line each.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::containers::Containers;

/// What it tells is read until it says what a test waits for, so that nobody sleeps. It is killed with this value.
pub(crate) struct Underway {
    child: Child,
    told: Lines<BufReader<ChildStdout>>,
    /// Everything that was read so far.
    pub(crate) seen: Vec<Value>,
}

impl Underway {
    /// Starts a verb that knows `--format json`.
    pub(crate) fn start(it: &Containers, arguments: &[&str]) -> Self {
        let mut command = it.any(&[arguments, &["--format", "json"]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, told, seen: Vec::new() }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Option<&Value> {
        let line = self.told.next()?.ok()?;
        // Who is killed may leave half a line.
        self.seen.push(serde_json::from_str(&line).ok()?);
        self.seen.last()
    }

    /// The next of a type.
    pub(crate) fn until(&mut self, kind: &str) -> Value {
        while let Some(event) = self.next() {
            if event["type"] == kind {
                return event.clone();
            }
        }
        panic!("never: {kind}\n{:#?}", self.seen);
    }

    /// The next log that holds a text.
    pub(crate) fn until_log(&mut self, text: &str) {
        while !self.until("log")["lines"].to_string().contains(text) {}
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, after all that is told until then.
    pub(crate) fn end(&mut self) -> i32 {
        while self.next().is_some() {}
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// How runs have ended, by their numbers.
    pub(crate) fn conclusions(&self) -> Vec<(u64, &str)> {
        let ends = self.seen.iter().filter(|event| event["type"] == "run.finished");
        let mut found: Vec<(u64, &str)> = ends
            .map(|event| (event["run"].as_u64().unwrap(), event["conclusion"].as_str().unwrap()))
            .collect();
        found.sort_unstable();
        found
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
