//! Actions in containers of their own.
//!
//! The container shares the network of the job's container, so that services are found at the same names and ports, and sees
//! the job's directories at GitHub's places. It is made without a program and the action's program is started in it, which is
//! heard, limited and ended as every process of a step is.
//!
//! The workspace lies in a directory that steps may rewrite, and a mount follows links: before anything runs, it is looked
//! whether what the container sees is what was meant.

use std::io;

use longshore_engine::{ContainerId, ContainerSpec, EngineError, ImageSource, NetworkMode};
use longshore_expr::Value;
use longshore_workflow::model::Runs;
use thiserror::Error;

use super::process::Inside;
use super::{HandlerEnd, Inputs, Process};
use crate::action::ResolvedAction;
use crate::context::Scope;
use crate::environment::{get, set, split, words};
use crate::evaluate::{EvaluationError, Evaluator};
use crate::job::{ActionPaths, Directory, Place, PlaceError, bind, certificates, chain};
use crate::step::{StepCall, unique};

/// Which part of an action it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage<'e> {
    /// What the step does.
    Main,
    /// What is done before or after the steps, with this entry point.
    Beside(&'e str),
}

/// What the container of an action is made of.
struct Program {
    image: String,
    entrypoint: Option<String>,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
}

/// Why an action's container does not run.
#[derive(Debug, Error)]
enum ContainerError {
    #[error("failed to prepare the image of the action")]
    Image(#[source] PlaceError),
    #[error("failed to start a container from `{image}`")]
    Start { image: String, source: EngineError },
    #[error("the image `{image}` names no program; give `entrypoint` or `args`")]
    NoProgram { image: String },
    #[error("failed to run the program of the action in `{image}`")]
    Run { image: String, source: EngineError },
    #[error("failed to prepare `{path}` for the container of the action")]
    Directory { path: String, source: io::Error },
    #[error("`{path}` is not what the container of the action sees: a step has put a link in its place")]
    Replaced { path: String },
}

/// `uses: docker://IMAGE`.
pub(super) fn image(call: &mut StepCall<'_>, image: &str, inputs: &Inputs) -> HandlerEnd {
    let program = given_arguments(inputs).map(|arguments| Program {
        image: image.to_owned(),
        entrypoint: inputs.get("entrypoint").filter(|text| !text.is_empty()).map(str::to_owned),
        arguments,
        env: Vec::new(),
    });
    match program {
        Ok(program) => run(call, &program, inputs),
        Err(error) => HandlerEnd::failed(call, error),
    }
}

/// An action whose manifest names an image or a Dockerfile.
pub(super) fn action(
    call: &mut StepCall<'_>,
    action: &ResolvedAction,
    inputs: &Inputs,
    stage: Stage<'_>,
) -> HandlerEnd {
    match program(&call.scope, action, inputs, stage) {
        Ok(program) => run(call, &program, inputs),
        Err(error) => HandlerEnd::failed(call, error),
    }
}

fn program(
    scope: &Scope,
    action: &ResolvedAction,
    inputs: &Inputs,
    stage: Stage<'_>,
) -> Result<Program, String> {
    let no_build = |place: String, what: &str| {
        format!(
            "{place}: the action is built from `{what}`, which is not possible yet; use a version of it with \
             `image: docker://…`"
        )
    };
    let Some(manifest) = &action.manifest else { return Err(no_build(action.inside.clone(), "Dockerfile")) };
    let Some(Runs::Docker { image, entrypoint, args, env, .. }) = &manifest.runs else {
        return Err(format!("`{}` is no action in a container", action.inside));
    };
    let Some(name) = image.value.strip_prefix("docker://") else {
        let line = manifest.file.position(image.span.start).line;
        return Err(no_build(format!("{}:{line}", manifest.file.name()), &image.value));
    };
    let scope = scope.clone().with("inputs", inputs.value());
    let evaluator = Evaluator::new(&manifest.file, &scope);
    let evaluated: Result<Vec<String>, EvaluationError> =
        args.iter().map(|arg| evaluator.text(arg)).collect();
    let own = evaluated.map_err(|error| error.to_string())?;
    let env = env.as_ref().map_or(Ok(Vec::new()), |env| evaluator.texts(env));
    let written = entrypoint.as_ref().map(|entrypoint| entrypoint.value.clone());
    let given = || inputs.get("entrypoint").map(str::to_owned);
    let entrypoint = match stage {
        Stage::Main => written.filter(|text| !text.is_empty()).or_else(given),
        Stage::Beside(entrypoint) => Some(entrypoint.to_owned()),
    };
    Ok(Program {
        image: name.to_owned(),
        entrypoint: entrypoint.filter(|text| !text.is_empty()),
        arguments: if own.is_empty() { given_arguments(inputs)? } else { own },
        env: env.map_err(|error| error.to_string())?,
    })
}

fn given_arguments(inputs: &Inputs) -> Result<Vec<String>, String> {
    let text = inputs.text("args");
    words(text).ok_or_else(|| format!("`args: {text}` has an open quote"))
}

fn run(call: &mut StepCall<'_>, program: &Program, inputs: &Inputs) -> HandlerEnd {
    let files = match call.command_files() {
        Ok(files) => files,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let place = call.steps.place;
    let paths = ActionPaths::new(&place.paths);
    let container = match Container::start(call, program, &paths) {
        Ok(container) => container,
        Err(error) => return HandlerEnd::failed(call, chain(&error)),
    };
    for (name, inside) in [("workspace", paths.inside.workspace.as_str()), ("event_path", ActionPaths::EVENT)]
    {
        call.scope.set_entry("github", name, Value::from(inside));
    }
    let mut env = call.action_env(inputs);
    // Where programs are is the image's business.
    if get(&call.env, "PATH").is_none() {
        env.retain(|(name, _)| name != "PATH");
    }
    env.extend(files.variables(place));
    for (name, value) in &program.env {
        if get(&env, name).is_none() {
            set(&mut env, name, value.clone());
        }
    }
    certificates::withdraw(&container.env, &mut env);
    for (_, value) in &mut env {
        *value = paths.translate(value);
    }
    set(&mut env, "HOME", paths.inside.home.clone());
    let process = Process {
        command: container.command.clone(),
        env,
        working_directory: paths.inside.workspace.clone(),
        of_action: true,
        inside: Some(Inside { container: container.id.clone(), paths: paths.inside.clone() }),
    };
    match process.run(call) {
        Ok(end) => {
            let written = files.read(place);
            call.take(written);
            end
        }
        Err(source) => {
            let error = ContainerError::Run { image: program.image.clone(), source };
            HandlerEnd::failed(call, chain(&error))
        }
    }
}

/// The container of an action. Removed when dropped.
struct Container<'p> {
    place: &'p Place,
    id: ContainerId,
    /// What the image and the action make of a command.
    command: Vec<String>,
    /// The image's variables.
    env: Vec<(String, String)>,
}

impl<'p> Container<'p> {
    fn start(
        call: &StepCall<'p>,
        program: &Program,
        paths: &ActionPaths<'_>,
    ) -> Result<Self, ContainerError> {
        let place = call.steps.place;
        let image = ImageSource::parse(&program.image);
        place.pull(&image, None, &call.voice).map_err(ContainerError::Image)?;
        paths
            .make()
            .map_err(|source| ContainerError::Directory { path: paths.inside.home.clone(), source })?;
        let failed = |source| ContainerError::Start { image: program.image.clone(), source };
        let network = match place.container() {
            Some(job) => NetworkMode::Container(job.to_string()),
            None => place.attachment("action"),
        };
        let spec = ContainerSpec {
            name: Some(format!("{}-action-{}", place.network, unique())),
            image,
            entrypoint: program.entrypoint.clone().map(|entrypoint| vec![entrypoint]),
            command: program.arguments.clone(),
            labels: place.labels.clone(),
            mounts: paths
                .inside
                .mounts
                .iter()
                .map(|(inside, outside)| bind(outside, inside, false))
                .chain(certificates::mount(call.steps.run.runner.machine.certificates.as_deref()))
                .collect(),
            hold: true,
            network,
            stop_timeout: Some(std::time::Duration::ZERO),
            ..ContainerSpec::default()
        };
        let engine = place.engine();
        let id = engine.create_container(&place.sandbox, &spec).map_err(failed)?;
        let mut container = Self { place, id, command: Vec::new(), env: Vec::new() };
        let merged = engine.inspect(&container.id).map_err(failed)?.spec;
        container.env = merged.env.iter().map(|variable| split(variable)).collect();
        container.command = merged.entrypoint.into_iter().flatten().chain(merged.command).collect();
        if container.command.is_empty() {
            return Err(ContainerError::NoProgram { image: program.image.clone() });
        }
        engine.start(&container.id).map_err(failed)?;
        for (inside, below) in paths.replaceable() {
            container.check(paths, &inside, &below)?;
        }
        Ok(container)
    }

    /// Looks whether a directory of the job is what the container sees: what is put into the one appears in the other.
    fn check(&self, paths: &ActionPaths<'_>, inside: &str, below: &str) -> Result<(), ContainerError> {
        let failed = |source| ContainerError::Directory { path: inside.to_owned(), source };
        let root = Directory::open(&paths.work()).map_err(failed)?;
        let name = format!(".longshore-{}", unique());
        let mark = format!("{below}/{name}");
        root.create(&mark, b"", 0o600).map_err(failed)?;
        let path = format!("{inside}/{name}");
        let seen = self.place.engine().copy_out(&self.id, path.as_ref(), &mut io::sink());
        root.remove(&mark).map_err(failed)?;
        seen.map_err(|_| ContainerError::Replaced { path: inside.to_owned() })
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // What cannot be removed now goes with the job's sandbox.
        let _ = self.place.engine().remove_container(&self.id, true);
    }
}
