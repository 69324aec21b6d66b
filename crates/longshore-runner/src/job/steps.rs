//! The steps of a job, one after the other or at the same time.
//!
//! Steps with `background: true` and those of a `parallel:` group run on threads of their own; `wait`, `wait-all` and
//! `cancel` steps join them (see `background`). What is still running when the last step has ended is waited for before
//! post steps run.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope as Threads;
use std::time::Instant;

use longshore_engine::EngineError;
use longshore_event::{Conclusion, StepEvent, StepNumber, StepStage};
use longshore_workflow::graph::JobResult;
use longshore_workflow::model::{Step, StepKind, StepsJob};

use super::background::Background;
use super::initialize::Initialized;
use super::resume::Point;
use super::service::ServicesEnd;
use super::specification::Specification;
use super::trace::{Begun, Trace};
use super::{Aside, JobEnd, JobRun, JobServices, Place, Progress, result, shown_minutes};
use crate::action::{LateActions, ResolvedActions};
use crate::checkpoint::Checkpoints;
use crate::command::Matchers;
use crate::context::{Files, Scope};
use crate::handler::Post;
use crate::step::{Frame, StepRun};
use crate::voice::StepVoice;

/// What all steps of a job share.
pub(crate) struct JobSteps<'j> {
    pub(crate) run: &'j JobRun<'j>,
    pub(crate) specification: &'j Specification,
    pub(crate) place: &'j Place,
    pub(crate) progress: &'j Progress,
    /// What is to be done after the steps, in the order in which it was asked for.
    pub(crate) posts: Mutex<Vec<Post>>,
    /// What actions have saved for their own later stages, by the ids of their steps.
    states: Mutex<HashMap<String, Vec<(String, String)>>>,
    /// The services for actions.
    pub(crate) services: JobServices,
    /// Actions that only the running job knows.
    pub(crate) late: LateActions,
    /// The same when the last step had ended.
    left: Mutex<Vec<Post>>,
    /// What is needed to keep the job if it fails.
    pub(crate) trace: Trace,
    /// The files that each step found, if the job may be kept.
    pub(super) checkpoints: Option<Checkpoints>,
    /// The problem matchers of the job.
    pub(crate) matchers: Arc<Matchers>,
    numbers: &'j AtomicU32,
    background: Background,
}

/// A step of the runner's own, such as `Set up job`.
pub(super) struct OwnStep {
    pub(super) voice: StepVoice,
}

impl OwnStep {
    pub(super) fn begin(run: &JobRun<'_>, numbers: &AtomicU32, name: &str) -> Self {
        let number = StepNumber(numbers.fetch_add(1, Ordering::SeqCst) + 1);
        let voice = run.task.voice.step(number);
        voice.say(StepEvent::Started { name: name.to_owned(), id: String::new(), stage: StepStage::Runner });
        Self { voice }
    }

    pub(super) fn end(self, error: Option<String>) {
        if let Some(error) = &error {
            self.voice.error(error);
        }
        let conclusion = if error.is_some() { Conclusion::Failure } else { Conclusion::Success };
        self.voice.say(StepEvent::Finished {
            outcome: conclusion,
            conclusion,
            exit_code: None,
            outputs: std::collections::BTreeMap::new(),
            error: error.map(|error| self.voice.job.run.mask(&error)),
        });
    }
}

impl JobRun<'_> {
    /// Makes the job's place and runs its steps. What is left of the place is to be dropped.
    pub(super) fn carry_out(
        &self,
        model: &StepsJob,
        specification: &Specification,
    ) -> (JobEnd, Option<Place>) {
        let numbers = AtomicU32::new(0);
        let own = OwnStep::begin(self, &numbers, "Set up job");
        let begun = match self.task.resume.as_deref() {
            Some(resume) => self.reopen(resume, model, specification, &own.voice),
            None => self.begin(model, specification, &own.voice),
        };
        let (mut place, actions, point) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                own.end(Some(error.clone()));
                return (self.end_early(error), None);
            }
        };
        own.end(None);
        let Initialized { mut services, error: trouble } =
            self.initialize(&mut place, specification, &numbers);
        if let (Some(trouble), Some(_)) = (&trouble, &self.task.resume) {
            place.rest();
            return (self.end_early(trouble.clone()), Some(place));
        }
        let Point { index, number, progress, results, posts, saved, begun, checkpoints } = point;
        if trouble.is_some() {
            progress.settle(Conclusion::Failure);
        }
        if let Some(number) = number {
            numbers.store(number.saturating_sub(1), Ordering::SeqCst);
        }
        let context = services.as_ref().map_or_else(Vec::new, |services| services.context.clone());
        let mut scope = self.job_scope(&place, specification, &context);
        let steps = JobSteps {
            run: self,
            specification,
            place: &place,
            progress: &progress,
            posts: Mutex::new(posts),
            left: Mutex::default(),
            trace: Trace::after(begun),
            checkpoints: checkpoints.or_else(|| self.checkpoints(&place, trouble.is_none())),
            states: Mutex::new(saved),
            services: JobServices::default(),
            late: LateActions::default(),
            matchers: Arc::default(),
            numbers: &numbers,
            background: Background::default(),
        };
        let mut frame = Frame::top(self.file(), scope.clone(), specification.env.clone(), actions);
        frame.results = results;
        steps.run_all(&frame, &model.steps, index);
        let mut is_kept = trouble.is_none() && self.is_kept(&steps);
        let end = match progress.status() {
            _ if is_kept => ServicesEnd::Kept,
            Conclusion::Failure => ServicesEnd::Failed,
            _ => ServicesEnd::Passed,
        };
        self.conclude_containers(&place, services.as_mut(), end, &numbers);
        let own = OwnStep::begin(self, &numbers, "Complete job");
        scope = frame.closing_scope(&progress);
        let (outputs, url) = self.closing_values(model, &scope);
        if is_kept {
            match self.keep(&steps, model, &frame, services.as_ref()) {
                Ok(()) => own.voice.line("The job is kept as it was left"),
                Err(error) => {
                    is_kept = false;
                    own.voice.warning(&format!("the job is not kept: {error}"));
                }
            }
        } else {
            self.give_up(&place);
        }
        own.end(None);
        // What hands ports on must have ended before its container can.
        drop((steps, services));
        if is_kept {
            place.rest();
        }
        let error = self.task.control.cancelled().filter(|_| progress.status() == Conclusion::Cancelled);
        let error = error.or(trouble);
        (JobEnd { result: result(progress.status()), outputs, url, error, kept: is_kept }, Some(place))
    }

    /// The place of a job that begins.
    fn begin(
        &self,
        model: &StepsJob,
        specification: &Specification,
        voice: &StepVoice,
    ) -> Result<(Place, ResolvedActions, Point), String> {
        self.introduce(specification, voice);
        // Network and directories here, actions and objects of git there: neither needs the other.
        let (place, gathered) = std::thread::scope(|threads| {
            let place = threads.spawn(|| Place::make(self, specification));
            let gathered = self.gather(model, voice);
            (place.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), gathered)
        });
        let mut place = place.map_err(|error| chain(&error))?;
        let (actions, lent) = gathered?;
        place.lent = lent;
        self.set_up(&mut place, &actions, specification, voice)?;
        Ok((place, actions, Point::default()))
    }

    /// Those of a job that begins.
    fn checkpoints(&self, place: &Place, has_begun: bool) -> Option<Checkpoints> {
        let is_wanted = has_begun && self.task.facts.request.keep.is_some();
        Checkpoints::begin(&place.paths.root, place.changed().filter(|_| is_wanted)?)
    }

    /// The end of a job none of whose steps has its turn. One that was to go on can still do so later.
    fn end_early(&self, error: String) -> JobEnd {
        let kept = self.task.resume.is_some();
        match self.task.control.cancelled() {
            Some(reason) => JobEnd { result: JobResult::Cancelled, kept, ..JobEnd::failed(reason) },
            None => JobEnd { kept, ..JobEnd::failed(error) },
        }
    }

    /// The contexts of the steps, without what changes from step to step.
    fn job_scope(
        &self,
        place: &Place,
        specification: &Specification,
        services: &[(String, longshore_expr::Value)],
    ) -> Scope {
        let mut scope = self.task.scope.clone();
        let paths = &place.paths;
        scope.files = Some(Arc::new(Files {
            workspace: paths.workspace_outside(),
            home: paths.outside(&paths.home).unwrap_or_else(|| paths.root.join("home")),
        }));
        crate::step::variables::fill(self, place, specification, services, &mut scope);
        scope
    }
}

impl JobSteps<'_> {
    /// Runs all steps, then what their actions left to be done, the last first.
    fn run_all(&self, frame: &Frame<'_>, steps: &[Step], first: usize) {
        if self.run.task.resume.is_none() {
            self.run_pre(frame);
        }
        std::thread::scope(|threads| {
            self.run_list(threads, frame, steps, first);
            self.background.join(None, &frame.results, self.progress);
            self.progress.settle(self.background.verdict());
        });
        self.left().clone_from(&self.posts.lock().unwrap_or_else(PoisonError::into_inner));
        self.run_posts(frame);
    }

    /// What actions want to be done before the first step.
    fn run_pre(&self, frame: &Frame<'_>) {
        for pre in frame.actions.pre_steps() {
            if self.run.task.control.is_killed() {
                return;
            }
            self.heed_cancel();
            StepRun::new(self, frame, self.next_number(), StepStage::Pre).pre(&pre);
        }
    }

    fn run_posts(&self, frame: &Frame<'_>) {
        loop {
            let post = self.posts.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(post) = post else { return };
            if self.run.task.control.is_killed() {
                return;
            }
            self.heed_cancel();
            StepRun::new(self, frame, self.next_number(), StepStage::Post).post(&post);
        }
    }

    /// Runs the steps from `first` on; those before have been carried out.
    fn run_list<'s, 'e: 's>(
        &'s self,
        threads: &'s Threads<'s, 'e>,
        frame: &'s Frame<'_>,
        steps: &'s [Step],
        first: usize,
    ) {
        for step in steps.iter().skip(first) {
            if self.run.task.control.is_killed() {
                self.progress.settle(Conclusion::Cancelled);
                return;
            }
            self.heed_cancel();
            let number = self.next_number();
            self.remember(number);
            match &step.kind {
                StepKind::Parallel { steps } => self.run_group(threads, frame, (step, number), steps),
                StepKind::Wait { targets } => {
                    let ids: Vec<String> = targets.iter().map(|target| target.value.clone()).collect();
                    self.run_inline(frame, step, number, &|| self.join(frame, Some(&ids)));
                }
                StepKind::WaitAll => self.run_inline(frame, step, number, &|| self.join(frame, None)),
                StepKind::Cancel { target } => self.run_inline(frame, step, number, &|| {
                    self.background.cancel(&target.value, &self.run.task.control);
                    self.join(frame, Some(std::slice::from_ref(&target.value)));
                    Conclusion::Success
                }),
                StepKind::Run { .. } | StepKind::Uses { .. } => {
                    if step.background.as_ref().is_some_and(|background| background.value) {
                        self.spawn(threads, frame, step, number);
                    } else {
                        StepRun::new(self, frame, number, StepStage::Main).main(step);
                    }
                }
            }
        }
    }

    /// Waits for background steps; what they come to.
    fn join(&self, frame: &Frame<'_>, ids: Option<&[String]>) -> Conclusion {
        self.background.join(ids, &frame.results, self.progress)
    }

    /// Remembers what a step finds.
    fn remember(&self, number: StepNumber) {
        if self.run.task.facts.request.keep.is_none() {
            return;
        }
        let posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner).len();
        let state = self.progress.state().clone();
        self.trace.begin(Begun { number, env: state.env, path: state.path, posts });
        match &self.checkpoints {
            Some(checkpoints) if self.background.is_busy() => {
                checkpoints.pass_over(number.0, "a step ran in the background");
            }
            Some(checkpoints) => checkpoints.take(number.0),
            None => {}
        }
    }

    /// What was to be done after the steps when the last of them had ended.
    pub(super) fn left(&self) -> std::sync::MutexGuard<'_, Vec<Post>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn<'s, 'e: 's>(
        &'s self,
        threads: &'s Threads<'s, 'e>,
        frame: &'s Frame<'_>,
        step: &'s Step,
        number: StepNumber,
    ) {
        let mut run = StepRun::new(self, frame, number, StepStage::Main);
        run.stop = self.background.begin(&step.id);
        // What it sees was settled when its turn came, whatever the steps beside it do meanwhile.
        let premise = run.premise(step);
        threads.spawn(move || {
            let control = &self.run.task.control;
            let berth = self.background.berth(&run.stop, control);
            let carried = std::panic::AssertUnwindSafe(|| run.aside(step, premise));
            let aside = std::panic::catch_unwind(carried).unwrap_or_else(|_| Aside::failed());
            drop(berth);
            self.background.end(&step.id, aside);
        });
    }

    /// Steps at the same time; the next step waits for all.
    fn run_group<'s, 'e: 's>(
        &'s self,
        threads: &'s Threads<'s, 'e>,
        frame: &'s Frame<'_>,
        (group, number): (&'s Step, StepNumber),
        steps: &'s [Step],
    ) {
        self.run_inline(frame, group, number, &|| {
            for step in steps {
                self.spawn(threads, frame, step, self.next_number());
            }
            let ids: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
            self.join(frame, Some(&ids))
        });
    }

    fn run_inline(&self, frame: &Frame<'_>, step: &Step, number: StepNumber, act: &dyn Fn() -> Conclusion) {
        StepRun::new(self, frame, number, StepStage::Main).inline(step, act);
    }

    /// A job that was cancelled, or whose time is over, is so for the steps to come.
    fn heed_cancel(&self) {
        let control = &self.run.task.control;
        if self.run.is_over() && control.cancelled().is_none() {
            let minutes = shown_minutes(self.specification.timeout);
            control.cancel(&format!("The job has exceeded the maximum execution time of {minutes} minutes"));
        }
        if control.cancelled().is_some() {
            self.progress.settle(Conclusion::Cancelled);
        }
    }

    fn next_number(&self) -> StepNumber {
        StepNumber(self.numbers.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// What the earlier stages of a step's action have saved.
    pub(crate) fn saved_state(&self, id: &str) -> Vec<(String, String)> {
        self.states().get(id).cloned().unwrap_or_default()
    }

    /// Keeps what a stage of a step's action has saved.
    pub(crate) fn save_state(&self, id: &str, state: Vec<(String, String)>) {
        self.states().insert(id.to_owned(), state);
    }

    /// What actions have saved, by the ids of their steps.
    pub(super) fn states(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<(String, String)>>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a step must have ended.
    pub(crate) fn deadline(&self, own: Option<Instant>, after_cancel: bool) -> Option<Instant> {
        let job = self.run.deadline.filter(|_| !after_cancel);
        match (own, job) {
            (Some(own), Some(job)) => Some(own.min(job)),
            (own, job) => own.or(job),
        }
    }
}

/// An error with its causes and what the engine says can be done, on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut help = None;
    let mut causes = Some(error);
    while let Some(cause) = causes {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text += &format!(": {cause_text}");
        }
        help = help.or_else(|| cause.downcast_ref::<EngineError>()?.help.clone());
        causes = cause.source();
    }
    // What rustls says of a proxy that has an authority of its own, wherever it is met.
    let stranger = text.contains("invalid peer certificate: UnknownIssuer").then_some(
        "where a proxy stands between, name the certificates of its authority in `SSL_CERT_FILE`".to_owned(),
    );
    match help.or(stranger) {
        Some(help) => format!("{text}; {help}"),
        None => text,
    }
}
