//! Keeping a failed job: what is written down of it.

use longshore_event::Conclusion;
use longshore_syntax::SourceFile;
use longshore_workflow::model::{Step, StepsJob};

use super::place::Place;
use super::service::Services;
use super::steps::{JobSteps, chain};
use super::trace::{Begun, Failed};
use super::{JobRun, secret_values};
use crate::handler::Post;
use crate::kept::{
    DoneStepDto, FailedStepDto, KeptDto, KeptJob, PostDto, ResultDto, SavedDto, Seal, StateDto, VERSION,
};
use crate::step::Frame;

impl JobRun<'_> {
    /// Whether a job stays as it was left: it failed by a step, and failed jobs are kept; or it was cancelled while it went
    /// on from where it was kept, and can go on from there again.
    pub(super) fn is_kept(&self, steps: &JobSteps<'_>) -> bool {
        let wanted = self.task.facts.request.keep.is_some();
        match steps.progress.status() {
            Conclusion::Failure => wanted && steps.trace.failed().is_some(),
            Conclusion::Cancelled => self.task.resume.is_some(),
            _ => false,
        }
    }

    /// Writes down what is needed to go on with a job that stays as it was left.
    pub(super) fn keep(
        &self,
        steps: &JobSteps<'_>,
        model: &StepsJob,
        frame: &Frame<'_>,
        services: Option<&Services>,
    ) -> Result<(), String> {
        if let (Some(directory), Some(failed)) = (&self.task.facts.request.keep, steps.trace.failed())
            && steps.progress.status() == Conclusion::Failure
        {
            let record = self.record(steps, model, frame, services, failed);
            KeptJob::write(directory, record).map_err(|error| chain(&error))?;
        }
        if let Some(checkpoints) = &steps.checkpoints {
            // Without them nobody goes back, which is told to who wants to.
            let _ = checkpoints.save();
        }
        steps.place.keep();
        Ok(())
    }

    /// Forgets what was kept of a job that has passed.
    pub(super) fn give_up(&self, place: &Place) {
        if let Some(resume) = &self.task.resume {
            resume.kept.forget();
            place.give_up();
        }
    }

    fn record(
        &self,
        steps: &JobSteps<'_>,
        model: &StepsJob,
        frame: &Frame<'_>,
        services: Option<&Services>,
        failed: Failed,
    ) -> KeptDto {
        let place = steps.place;
        let facts = &self.task.facts;
        let seal = self.seal();
        let (done, states) = done(&steps.trace.begun(), model, frame.file, &seal);
        let begun = done.iter().rposition(|step| step.number <= failed.number.0);
        KeptDto {
            version: VERSION,
            run: place
                .labels
                .get(super::RUN_LABEL)
                .and_then(|run| run.parse().ok())
                .unwrap_or(facts.request.id.0),
            job: self.task.voice.job.to_string(),
            name: self.task.name.clone(),
            sandbox: place.sandbox.to_string(),
            network: place.network.clone(),
            container: place.container().map(ToString::to_string).unwrap_or_default(),
            image: steps.specification.image.to_string(),
            in_container: place.in_container,
            root: place.paths.root.clone(),
            mounts: place.paths.mounts.clone(),
            targets: place.targets.clone(),
            workspace: place.paths.workspace.clone(),
            lent: place.lent.iter().map(|lent| (lent.outside.clone(), lent.inside.clone())).collect(),
            services: services.map(Services::records).unwrap_or_default(),
            failed: FailedStepDto {
                number: failed.number.0,
                index: begun.unwrap_or_default(),
                id: failed.id,
                name: failed.name,
                env: seal.pairs(&failed.surroundings.0),
                working_directory: failed.surroundings.1,
            },
            steps: done,
            states,
            posts: steps.left().iter().map(|post| post_record(post, &seal)).collect(),
            saved: steps
                .states()
                .iter()
                .map(|(id, state)| SavedDto { id: id.clone(), state: seal.pairs(state) })
                .collect(),
            results: frame
                .results
                .entries()
                .into_iter()
                .map(|result| ResultDto {
                    outputs: seal.pairs(&result.outputs),
                    id: result.id,
                    outcome: result.outcome,
                    conclusion: result.conclusion,
                })
                .collect(),
        }
    }

    /// Takes out the secrets that come back when the run is given them again.
    fn seal(&self) -> Seal<'_> {
        let facts = &self.task.facts;
        let secrets = secret_values(&facts.secrets());
        let secrets = secrets.into_iter().map(|(name, value)| (name, value.expose().clone()));
        Seal::new(secrets, &facts.masker)
    }
}

/// The steps that have begun, and the states that they found, each once.
fn done(
    begun: &[Begun],
    model: &StepsJob,
    file: &SourceFile,
    seal: &Seal<'_>,
) -> (Vec<DoneStepDto>, Vec<StateDto>) {
    let mut states: Vec<StateDto> = Vec::new();
    let mut done = Vec::new();
    for (begun, step) in begun.iter().zip(&model.steps) {
        let state = StateDto { env: seal.pairs(&begun.env), path: begun.path.clone() };
        if states.last() != Some(&state) {
            states.push(state);
        }
        done.push(DoneStepDto {
            number: begun.number.0,
            id: step.id.clone(),
            text: text(file, step),
            state: states.len() - 1,
            posts: begun.posts,
            background: step.background.as_ref().is_some_and(|background| background.value),
        });
    }
    (done, states)
}

/// A step as the file has it, without blanks at line ends.
pub(super) fn text(file: &SourceFile, step: &Step) -> String {
    let lines: Vec<&str> = file.slice(step.span).trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn post_record(post: &Post, seal: &Seal<'_>) -> PostDto {
    let inputs: Vec<(String, String)> =
        post.inputs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    PostDto {
        name: post.name.clone(),
        id: post.id.clone(),
        uses: post.uses.clone(),
        inputs: seal.pairs(&inputs),
        state: seal.pairs(&post.state),
        env: seal.pairs(&post.env),
    }
}
