//! A project whose workflow is run, and what its events say.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A project in a directory of its own, with a state directory of its own.
pub(crate) struct Project {
    directory: tempfile::TempDir,
}

/// What one run told.
pub(crate) struct Events {
    /// From spawn to exit.
    pub(crate) wall: Duration,
    /// From the last event to the exit.
    pub(crate) after_end: Duration,
    told: Vec<Value>,
}

impl Project {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room");
        fs::create_dir_all(directory.path().join("project/.github/workflows")).expect("there is room");
        let project = Self { directory };
        project.git(&["init", "--quiet"]);
        project
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org"]).args(arguments);
        let status = command.current_dir(self.directory.path().join("project")).status();
        assert!(status.expect("git runs").success(), "{arguments:?}");
    }

    /// Writes and commits the workflow.
    pub(crate) fn write(&self, workflow: &str) {
        let file = self.directory.path().join("project/.github/workflows/ci.yml");
        fs::write(file, workflow).expect("there is room");
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "bench"]);
    }

    /// Adds many small files.
    pub(crate) fn many_files(&self, count: usize) {
        for number in 0..count {
            let directory = self.directory.path().join(format!("project/files/{}", number / 100));
            fs::create_dir_all(&directory).expect("there is room");
            fs::write(directory.join(format!("{number}.txt")), format!("{number}\n").repeat(100))
                .expect("there is room");
        }
    }

    /// Removes them.
    pub(crate) fn no_files(&self) {
        let _ = fs::remove_dir_all(self.directory.path().join("project/files"));
    }

    /// A verb of Longshore in the project.
    pub(crate) fn verb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.args(arguments).current_dir(self.directory.path().join("project"));
        command.env("LONGSHORE_HOME", self.directory.path().join("state"));
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn command(&self) -> Command {
        self.verb(&["run"])
    }

    pub(crate) fn run(&self) -> Events {
        self.run_with(&[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str]) -> Events {
        let began = Instant::now();
        let mut command = self.command();
        command.args(["--format", "json"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("longshore runs");
        let (mut events, mut last, mut text) = (Vec::new(), began, String::new());
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        while output.read_line(&mut text).expect("it says what happens") > 0 {
            last = Instant::now();
            // Output itself is not looked at, and there may be much of it.
            if !text.contains(r#""type":"log""#) {
                events.push(serde_json::from_str(&text).expect("an event"));
            }
            text.clear();
        }
        assert!(child.wait().expect("it ends").success(), "{events:?}");
        Events { wall: began.elapsed(), after_end: last.elapsed(), told: events }
    }

    /// How long it takes until something is shown.
    pub(crate) fn first_output(&self) -> Duration {
        let began = Instant::now();
        let mut child = self.command().stdout(Stdio::piped()).spawn().expect("longshore runs");
        let mut output = child.stdout.take().expect("it is piped");
        let mut byte = [0];
        output.read_exact(&mut byte).expect("it says something");
        let first = began.elapsed();
        let mut rest = Vec::new();
        output.read_to_end(&mut rest).expect("it ends");
        child.wait().expect("it ends");
        first
    }
}

impl Events {
    /// Steps of the file with how long each took, by id.
    fn steps(&self) -> Vec<(String, Duration)> {
        let mut begun: HashMap<(String, u64), (String, u64)> = HashMap::new();
        let mut steps = Vec::new();
        for event in &self.told {
            let key = || Some((event["job"].as_str()?.to_owned(), event["step"].as_u64()?));
            let (Some(key), Some(at)) = (key(), event["at"].as_u64()) else { continue };
            match event["type"].as_str() {
                Some("step.started") if event["stage"] == "main" => {
                    begun.insert(key, (event["id"].as_str().unwrap_or_default().to_owned(), at));
                }
                Some("step.finished") => {
                    if let Some((id, since)) = begun.remove(&key) {
                        steps.push((id, Duration::from_millis(at.saturating_sub(since))));
                    }
                }
                _ => {}
            }
        }
        steps
    }

    pub(crate) fn steps_total(&self) -> Duration {
        self.steps().iter().map(|(_, duration)| *duration).sum()
    }

    pub(crate) fn longest_step(&self) -> Duration {
        self.steps().iter().map(|(_, duration)| *duration).max().unwrap_or_default()
    }

    pub(crate) fn step(&self, id: &str) -> Duration {
        self.steps().iter().find(|(known, _)| known == id).map(|(_, duration)| *duration).unwrap_or_default()
    }

    /// How long steps of a name took, those of the runner included.
    pub(crate) fn named(&self, name: &str) -> Duration {
        let at = |event: &&Value| Duration::from_millis(event["at"].as_u64().unwrap_or_default());
        let of = |kind: &'static str| self.told.iter().filter(move |event| event["type"] == kind);
        let begun = of("step.started").filter(|event| event["name"] == name);
        let ends = begun.map(|begun| {
            let same = |event: &&Value| event["job"] == begun["job"] && event["step"] == begun["step"];
            let end = of("step.finished").find(same).map(|event| at(&event)).unwrap_or_default();
            end.saturating_sub(at(&begun))
        });
        ends.sum()
    }

    /// How long it took from starting a service until it was known to be well.
    pub(crate) fn until_ready(&self, service: &str) -> Duration {
        let mut own =
            self.told.iter().filter(|event| event["type"] == "job.service" && event["name"] == service);
        let mut at = |state: &str| own.find(|event| event["state"] == state)?["at"].as_u64();
        let since = at("starting").unwrap_or_default();
        Duration::from_millis(at("ready").unwrap_or_default().saturating_sub(since))
    }

    /// What the only job took beside its only script.
    pub(crate) fn above_scripts(&self) -> Duration {
        let at = |kind: &str| self.told.iter().find(|event| event["type"] == kind)?["at"].as_u64();
        let whole =
            at("job.finished").unwrap_or_default().saturating_sub(at("job.started").unwrap_or_default());
        Duration::from_millis(whole).saturating_sub(self.named("Run :"))
    }

    /// What a job took beside its steps, on average.
    pub(crate) fn above_steps(&self) -> Duration {
        let mut jobs: HashMap<String, (u64, u64)> = HashMap::new();
        for event in &self.told {
            let (Some(job), Some(at)) = (event["job"].as_str(), event["at"].as_u64()) else { continue };
            let entry = jobs.entry(job.to_owned()).or_default();
            match event["type"].as_str() {
                Some("job.started") => entry.0 = at,
                Some("job.finished") => entry.1 = at,
                _ => {}
            }
        }
        let steps = self.steps();
        let own = steps.iter().map(|(_, duration)| *duration).sum::<Duration>();
        let count = u32::try_from(jobs.len().max(1)).unwrap_or(1);
        let whole: Duration =
            jobs.values().map(|(start, end)| Duration::from_millis(end.saturating_sub(*start))).sum();
        whole.saturating_sub(own) / count
    }
}
