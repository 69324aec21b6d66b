//! A workflow, what its scripts do, and what came of it.
//!
//! The fake engine has no shell, so that a script is a list of words of a small language, one on each line: `say TEXT`,
//! `exit CODE`, `forever`, `set FILE TEXT` (`FILE` is `ENV`, `OUTPUT`, `PATH`, `STATE` or `STEP_SUMMARY`), `show NAME` (a
//! variable) and `gate NAME`, which waits until the test opens it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_core::Secret;
use longshore_engine::{ContainerSpec, Engine as _, LabelSelector};
use longshore_event::{Event as Told, EventKind, JobEvent, RunEvent, RunId, RunSink, StepEvent, Timestamp};
use longshore_expr::{Object, Value};
use longshore_runner::{
    ActionMode, ActionSource, FetchError, FetchedAction, FetchedRepository, ImageMap, Machine, Project,
    RunRequest, Runner, Shutdown, Slots, Stores,
};
use longshore_syntax::{Progress, SourceFile, SourceRef};
use longshore_testkit::fake::{Answer, FakeEngine, Gate, Invocation, Method};
use longshore_workflow::event::Event;
use longshore_workflow::plan::{PlanInput, Selection, SourceSet, WorkflowFile, plan};

/// What a run is made from.
pub(crate) struct Bench {
    pub(crate) fake: Arc<FakeEngine>,
    pub(crate) event: Event,
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) shutdown: Shutdown,
    place: Arc<tempfile::TempDir>,
    workflow: String,
    called: Option<String>,
    slots: usize,
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) events: Vec<Told>,
    pub(crate) conclusion: String,
    fake: Arc<FakeEngine>,
    work: PathBuf,
    _place: Arc<tempfile::TempDir>,
}

struct NoActions(PathBuf);

impl ActionSource for NoActions {
    fn fetch(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError> {
        Err(FetchError { message: format!("no `{reference}` here"), help: None })
    }

    fn nodes(&self) -> &Path {
        &self.0
    }

    fn repository(&self, reference: &SourceRef) -> Result<FetchedRepository, FetchError> {
        Err(FetchError { message: format!("no `{reference}` here"), help: None })
    }

    fn node(&self, major: u32) -> Result<PathBuf, FetchError> {
        Err(FetchError { message: format!("no Node {major} here"), help: None })
    }
}

/// Keeps what is told, and tells a test when something is.
struct Listener<'l> {
    events: Vec<Told>,
    /// Called with each event, and with nothing when there is nothing new.
    each: &'l mut (dyn FnMut(Option<&Told>) + Send),
}

impl RunSink for Listener<'_> {
    fn take(&mut self, event: &Told) {
        (self.each)(Some(event));
        self.events.push(event.clone());
    }

    fn idle(&mut self) {
        (self.each)(None);
    }
}

impl Bench {
    pub(crate) fn new(workflow: &str) -> Self {
        let fake = Arc::new(FakeEngine::new());
        fake.on(|invocation| script(invocation, &BTreeMap::new()));
        Self {
            fake,
            event: Event::new("push"),
            secrets: Vec::new(),
            shutdown: Shutdown::default(),
            place: Arc::new(tempfile::tempdir().unwrap()),
            workflow: format!("on: push\n{workflow}"),
            called: None,
            slots: 4,
        }
    }

    /// The workflow `.github/workflows/called.yml`.
    pub(crate) fn called(mut self, workflow: &str) -> Self {
        self.called = Some(workflow.to_owned());
        self
    }

    /// Has another event start it.
    pub(crate) fn on(mut self, event: &str) -> Self {
        self.workflow = self.workflow.replacen("on: push", &format!("on: {event}"), 1);
        self.event = Event::new(event);
        self
    }

    pub(crate) fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Gates by name, for scripts that say `gate NAME`.
    pub(crate) fn gates(self, names: &[String]) -> (Self, BTreeMap<String, Gate>) {
        let gates: BTreeMap<String, Gate> =
            names.iter().map(|name| (name.clone(), self.fake.gate())).collect();
        let known = gates.clone();
        self.fake.on(move |invocation| script(invocation, &known));
        (self, gates)
    }

    pub(crate) fn run(&self) -> Outcome {
        self.run_with(&mut |_| {})
    }

    /// Runs it; `each` sees every event when it is told, and nothing when there is nothing new.
    pub(crate) fn run_with(&self, each: &mut (dyn FnMut(Option<&Told>) + Send)) -> Outcome {
        let read = |name: &str, text: &str| {
            WorkflowFile::read(SourceFile::new(format!(".github/workflows/{name}"), text))
        };
        let mut workflows = vec![read("ci.yml", &self.workflow)];
        workflows.extend(self.called.iter().map(|text| read("called.yml", text)));
        let input = PlanInput {
            event: &self.event,
            workflows: &workflows,
            sources: &SourceSet::default(),
            vars: Some(&Object::default()),
            selection: &Selection::default(),
            fetch_actions: false,
        };
        let Progress::Ready(plan) = plan(&input) else { panic!("the plan lacks something") };
        let found = &plan.workflows[0];
        let run = found.run.clone().unwrap_or_else(|| panic!("it does not start: {:?}", found.start));
        let work = self.place.path().join("work");
        let project = self.place.path().join("project");
        std::fs::create_dir_all(&work).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        let runner = Runner {
            engine: Arc::clone(&self.fake) as _,
            images: ImageMap::new(std::iter::empty()),
            actions: Arc::new(NoActions(self.place.path().join("nodes"))),
            action_mode: ActionMode::Native,
            container_options: |_, _| Ok(ContainerSpec::default()),
            program: PathBuf::from("/longshore"),
            work: work.clone(),
            stores: Stores::new(self.place.path().join("artifacts"), self.place.path().join("caches")),
            concurrency: self.place.path().join("concurrency"),
            keys: self.place.path().join("keys"),
            machine: Machine::default(),
            slots: Slots::new(self.slots),
            clock: || Timestamp(0),
        };
        let secret = |(name, value): &(String, String)| (name.clone(), Secret::new(value.clone()));
        let request = RunRequest {
            id: RunId(1),
            number: 1,
            attempt: 1,
            workflow: Arc::new(workflows[0].parsed.model.clone().unwrap()),
            event: self.event.clone(),
            inputs: Object::default(),
            vars: [("V", Value::from("variable"))].into_iter().collect(),
            secrets: self.secrets.iter().map(secret).collect(),
            token: Secret::new(String::new()),
            plan: run,
            sources: SourceSet::default(),
            selection: Selection::default(),
            prior: std::collections::BTreeMap::new(),
            earlier: Vec::new(),
            resume: std::collections::BTreeMap::new(),
            keep: None,
            project: Project { root: project, repository: "o/r".to_owned() },
            debug: false,
        };
        let mut listener = Listener { events: Vec::new(), each };
        let conclusion = runner.run(request, &mut listener, &self.shutdown).conclusion.to_string();
        Outcome {
            events: listener.events,
            conclusion,
            fake: Arc::clone(&self.fake),
            work,
            _place: Arc::clone(&self.place),
        }
    }
}

/// What a script of the small language does.
fn script(invocation: &Invocation, gates: &BTreeMap<String, Gate>) -> Option<Answer> {
    let path = invocation
        .command
        .iter()
        .find(|word| std::path::Path::new(word).extension().is_some_and(|extension| extension == "sh"))?;
    let text = invocation.read_text(path)?;
    let mut answer = Answer::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        answer = match word {
            "say" => answer.stdout(format!("{rest}\n")),
            "show" => {
                let value = invocation.env.get(rest).cloned().unwrap_or_default();
                answer.stdout(format!("{rest}={value}\n"))
            }
            "set" => {
                let (file, content) = rest.split_once(' ')?;
                let variable = match file {
                    "ENV" | "OUTPUT" | "PATH" | "STATE" | "STEP_SUMMARY" => format!("GITHUB_{file}"),
                    _ => return None,
                };
                answer.append(invocation.env.get(&variable)?, format!("{content}\n"))
            }
            "gate" => answer.await_gate(gates.get(rest)?),
            "forever" => answer.forever(),
            "exit" => answer.exit(rest.parse().ok()?),
            _ => answer,
        };
    }
    Some(answer)
}

impl Outcome {
    /// How each job ended, by key: a conclusion, or `skipped`.
    pub(crate) fn jobs(&self) -> BTreeMap<String, String> {
        let mut jobs = BTreeMap::new();
        for event in &self.events {
            let end = match &event.kind {
                EventKind::Job(JobEvent::Finished { conclusion, .. }) => conclusion.to_string(),
                EventKind::Job(JobEvent::Skipped { .. }) => "skipped".to_owned(),
                _ => continue,
            };
            let key = event.job.as_ref().unwrap().to_string();
            assert_eq!(jobs.insert(key, end), None, "told twice");
        }
        jobs
    }

    /// The same, as a line.
    pub(crate) fn line(&self) -> String {
        let jobs = self.jobs();
        jobs.iter().map(|(key, end)| format!("{key}:{end}")).collect::<Vec<_>>().join(" ")
    }

    /// How each step of the file ended, as a line: its id with its conclusion.
    pub(crate) fn steps(&self) -> String {
        let mut names = BTreeMap::new();
        let mut ends = BTreeMap::new();
        for event in &self.events {
            let number = event.step.map(|step| step.0);
            match &event.kind {
                EventKind::Step(StepEvent::Started { id, .. }) if !id.is_empty() => {
                    names.insert(number, id.clone());
                }
                EventKind::Step(StepEvent::Skipped { id, .. }) => {
                    names.insert(number, id.clone());
                    ends.insert(number, "skipped".to_owned());
                }
                EventKind::Step(StepEvent::Finished { conclusion, .. }) => {
                    ends.insert(number, conclusion.to_string());
                }
                _ => {}
            }
        }
        let line =
            names.iter().map(|(number, id)| format!("{id}:{}", ends.get(number).map_or("?", String::as_str)));
        line.collect::<Vec<_>>().join(" ")
    }

    /// Everything in the logs.
    pub(crate) fn log(&self) -> String {
        let chunks = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Log(chunk) => Some(chunk.lines.join("\n") + "\n"),
            _ => None,
        });
        chunks.collect()
    }

    /// What holds after every run: events are numbered without gaps, the last is the end, and nothing is left.
    pub(crate) fn is_whole(&self) {
        let numbers: Vec<u64> = self.events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        assert!(matches!(self.events.last().unwrap().kind, EventKind::Run(RunEvent::Finished { .. })));
        assert!(self.fake.list(&LabelSelector::default()).unwrap().is_empty(), "containers are left");
        assert!(
            self.fake.list_sandboxes(&LabelSelector::default()).unwrap().is_empty(),
            "sandboxes are left"
        );
        assert_eq!(std::fs::read_dir(&self.work).unwrap().count(), 0, "directories are left");
        let made =
            self.fake.journal().iter().filter(|entry| entry.call.method() == Method::CreateSandbox).count();
        let removed =
            self.fake.journal().iter().filter(|entry| entry.call.method() == Method::RemoveSandbox).count();
        assert_eq!(made, removed);
    }
}
