//! Going on in a job that was kept, at the step that failed or at another one.
//!
//! The file may have been edited in between: the steps before the one to go on with must be what they were, because what
//! they did is there already and is not done again. Variables and results are those that the step found. Files are as the
//! job left them, and as they were changed since, unless a step is named: then they are what that step found, as far as
//! there is a checkpoint.

use std::collections::{HashMap, HashSet};

use longshore_event::{Conclusion, StepNumber};
use longshore_workflow::model::{Step, StepKind, StepsJob};
use longshore_workflow::template::TokenKind;

use super::keep::text;
use super::place::Place;
use super::specification::Specification;
use super::steps::chain;
use super::trace::Begun;
use super::{JobRun, Progress, StepResults, secret_values};
use crate::action::ResolvedActions;
use crate::checkpoint::{Checkpoints, NotRestored};
use crate::handler::{Post, revive};
use crate::kept::{KeptDto, Missing, Resume, unseal_pairs};
use crate::voice::StepVoice;

/// Where the steps of a job begin, and what is there then.
#[derive(Default)]
pub(super) struct Point {
    /// Which of the steps is the first, from 0.
    pub(super) index: usize,
    /// Its number; that which comes next, if absent.
    pub(super) number: Option<u32>,
    pub(super) progress: Progress,
    pub(super) results: StepResults,
    pub(super) posts: Vec<Post>,
    /// What actions have saved for their own later stages, by the ids of their steps.
    pub(super) saved: HashMap<String, Vec<(String, String)>>,
    /// The steps before.
    pub(super) begun: Vec<Begun>,
    pub(super) checkpoints: Option<Checkpoints>,
}

impl JobRun<'_> {
    /// The place of a kept job, running again, and where to go on.
    pub(super) fn reopen(
        &self,
        resume: &Resume,
        model: &StepsJob,
        specification: &Specification,
        voice: &StepVoice,
    ) -> Result<(Place, ResolvedActions, Point), String> {
        let record = &resume.kept.record;
        Self::check_surroundings(record, specification)?;
        let index = self.point(record, model, resume.from.as_deref())?;
        self.check_steps(record, model, index)?;
        let actions = ResolvedActions::resolve(self, model, voice)?;
        let mut place = Place::reopen(std::sync::Arc::clone(&self.runner.engine), record)
            .map_err(|error| chain(&error))?;
        let foreign = actions.mounts().into_iter().find(|mount| !record.targets.contains(&mount.target));
        if let Some(mount) = foreign {
            return Err(format!(
                "the job cannot go on: it uses an action now that its container does not have (`{}`); \
                 `longshore rerun` begins anew",
                mount.target
            ));
        }
        // What a killed process has left running is no part of what was kept.
        place.rest();
        let checkpoints = Checkpoints::load(&record.root);
        if resume.from.is_some() {
            self.go_back((record, model), index, checkpoints.as_ref(), voice)?;
        }
        place.restart().map_err(|error| chain(&error))?;
        let point = self.arrive(record, index, &place, &actions, voice);
        self.tell(record, model, index, voice);
        Ok((place, actions, Point { checkpoints, ..point }))
    }

    /// The containers are those that the file asks for.
    fn check_surroundings(record: &KeptDto, specification: &Specification) -> Result<(), String> {
        let image = specification.image.to_string();
        let again = "`longshore rerun` begins anew";
        if record.image != image {
            let kept = &record.image;
            return Err(format!(
                "the job cannot go on: its image was `{kept}` and is `{image}` now; {again}"
            ));
        }
        let kept: Vec<(&str, &str)> =
            record.services.iter().map(|service| (service.name.as_str(), service.image.as_str())).collect();
        let wanted: Vec<(&str, &str)> = specification
            .services
            .iter()
            .map(|(name, service)| (name.as_str(), service.image.as_str()))
            .collect();
        if kept != wanted {
            return Err(format!("the job cannot go on: its services are not those that it had; {again}"));
        }
        Ok(())
    }

    /// Which step is meant.
    fn point(&self, record: &KeptDto, model: &StepsJob, from: Option<&str>) -> Result<usize, String> {
        let Some(from) = from else { return Ok(record.failed.index) };
        let by_number = || {
            let number: u32 = from.parse().ok()?;
            record.steps.iter().position(|step| step.number == number)
        };
        let named = |step: &Step| {
            step.id == from || self.step_name(step).is_some_and(|name| name.eq_ignore_ascii_case(from))
        };
        model.steps.iter().position(named).or_else(by_number).ok_or_else(|| {
            let known: Vec<String> = model
                .steps
                .iter()
                .filter_map(|step| self.step_name(step))
                .map(|name| format!("`{name}`"))
                .collect();
            format!("the job has no step `{from}`; it has {}", known.join(", "))
        })
    }

    fn name_of(&self, model: &StepsJob, index: usize) -> String {
        model.steps.get(index).and_then(|step| self.step_name(step)).unwrap_or_default()
    }

    /// The name of a step as far as the file has it.
    fn step_name(&self, step: &Step) -> Option<String> {
        let first_line = |script: &str| {
            script.lines().map(str::trim).find(|line| !line.is_empty()).map(|line| format!("Run {line}"))
        };
        match (&step.name, &step.kind) {
            (Some(name), _) => Some(match &name.kind {
                TokenKind::String(text) => text.clone(),
                _ => self.file().slice(name.span()).to_owned(),
            }),
            (None, StepKind::Run { script, .. }) => match &script.kind {
                TokenKind::String(text) => first_line(text),
                _ => first_line(self.file().slice(script.span())),
            },
            (None, StepKind::Uses { uses, .. }) => Some(format!("Run {}", uses.value)),
            _ => None,
        }
    }

    /// What was done is what the file says.
    fn check_steps(&self, record: &KeptDto, model: &StepsJob, index: usize) -> Result<(), String> {
        if index > record.steps.len() || index >= model.steps.len() {
            return Err(
                "the job cannot go on there: not all steps before were reached when it was kept".to_owned()
            );
        }
        let changed = record
            .steps
            .iter()
            .zip(&model.steps)
            .take(index)
            .find(|(done, step)| done.text != text(self.file(), step));
        let Some((done, step)) = changed else { return Ok(()) };
        let line = self.file().position(step.span.start).line;
        let name = self.step_name(step).unwrap_or_else(|| step.id.clone());
        Err(format!(
            "the job cannot go on there: step {} (`{name}`, {}:{line}) is not what it was when it was carried out; go on \
             with it (`--from {}`), or begin anew with `longshore rerun`",
            done.number,
            self.file().name(),
            done.number
        ))
    }

    /// What the step to go on with finds.
    fn arrive(
        &self,
        record: &KeptDto,
        index: usize,
        place: &Place,
        actions: &ResolvedActions,
        voice: &StepVoice,
    ) -> Point {
        let secrets: Vec<(String, String)> = secret_values(&self.task.facts.secrets())
            .into_iter()
            .map(|(name, value)| (name, value.expose().clone()))
            .collect();
        let found = record.steps.get(index).or(record.steps.last());
        let state = found.and_then(|step| record.states.get(step.state));
        let (env, missing) = state.map(|state| unseal_pairs(&state.env, &secrets)).unwrap_or_default();
        complain(&missing, voice);
        let progress = Progress::with(env, state.map(|state| state.path.clone()).unwrap_or_default());
        let results = StepResults::default();
        let before: HashSet<&str> = record.steps.iter().take(index).map(|step| step.id.as_str()).collect();
        for result in record.results.iter().filter(|result| before.contains(result.id.as_str())) {
            let (outputs, missing) = unseal_pairs(&result.outputs, &secrets);
            complain(&missing, voice);
            results.set(&result.id, conclusion(&result.outcome), conclusion(&result.conclusion), &outputs);
        }
        let posts = record.posts.iter().take(found.map_or(0, |step| step.posts));
        let posts = posts.filter_map(|post| {
            let revived = revive(self, place, actions, post, &secrets);
            if revived.is_none() {
                voice.warning(&format!("what `{}` wanted to do at the end cannot be done", post.uses));
            }
            revived
        });
        let saved = record.saved.iter();
        let saved = saved.map(|saved| (saved.id.clone(), unseal_pairs(&saved.state, &secrets).0));
        let states: Vec<_> = record.states.iter().map(|state| unseal_pairs(&state.env, &secrets).0).collect();
        let begun = record.steps.iter().take(index).map(|step| Begun {
            number: StepNumber(step.number),
            env: states.get(step.state).cloned().unwrap_or_default(),
            path: record.states.get(step.state).map(|state| state.path.clone()).unwrap_or_default(),
            posts: step.posts,
        });
        Point {
            index,
            begun: begun.collect(),
            number: record.steps.get(index).map(|step| step.number),
            posts: posts.collect(),
            saved: saved.collect(),
            progress,
            results,
            checkpoints: None,
        }
    }

    /// Puts files back to what they were before a step, and says whose they are.
    fn go_back(
        &self,
        (record, model): (&KeptDto, &StepsJob),
        index: usize,
        checkpoints: Option<&Checkpoints>,
        voice: &StepVoice,
    ) -> Result<(), String> {
        let failed = &record.failed.name;
        let step = &self.name_of(model, index);
        let Some(done) = record.steps.get(index) else {
            voice.line(&format!("Files are as the job left them after `{failed}` had failed"));
            return Ok(());
        };
        let absent = |why: &str, others: &[u32]| {
            let others = record.steps.iter().enumerate().filter(|(_, step)| others.contains(&step.number));
            let others: Vec<String> =
                others.map(|(index, _)| format!("`{}`", self.name_of(model, index))).collect();
            let instead = match others.as_slice() {
                [] => String::new(),
                others => format!("; there is a way back to {}", others.join(", ")),
            };
            voice.warning(&format!(
                "files are as the job left them after `{failed}` had failed, not as `{step}` found them: {why}{instead}"
            ));
        };
        match checkpoints.map(|checkpoints| checkpoints.restore(done.number)) {
            Some(Ok(())) => voice.line(&format!("Files are as `{step}` found them")),
            Some(Err(NotRestored::Absent { why, others })) => absent(&why, &others),
            Some(Err(error @ NotRestored::Failed { .. })) => {
                return Err(format!("{}; `longshore rerun` begins anew", chain(&error)));
            }
            None => absent("there are no checkpoints", &[]),
        }
        Ok(())
    }

    fn tell(&self, record: &KeptDto, model: &StepsJob, index: usize, voice: &StepVoice) {
        let name = self.name_of(model, index);
        voice.line(&format!("Going on in the container of run {} with the step `{name}`", record.run));
        for step in record.steps.iter().take(index).filter(|step| step.background) {
            voice.warning(&format!("the step `{}` ran in the background, and does not run now", step.id));
        }
    }
}

/// Says which variables are missing.
fn complain(missing: &[Missing], voice: &StepVoice) {
    for Missing { name, secret } in missing {
        let why = match secret {
            Some(secret) => format!("the secret `{secret}` was not given again"),
            None => "a step had masked its value, which is written down nowhere".to_owned(),
        };
        voice.warning(&format!("`{name}` is missing: {why}"));
    }
}

fn conclusion(word: &str) -> Conclusion {
    match word {
        "failure" => Conclusion::Failure,
        "cancelled" => Conclusion::Cancelled,
        "skipped" => Conclusion::Skipped,
        _ => Conclusion::Success,
    }
}
