//! `uses` steps: which action it is, its inputs, and what it leaves to be done after the steps.

use longshore_expr::Value;
use longshore_syntax::{SourceFile, SourceRef};
use longshore_workflow::model::{ActionManifest, Condition, Lifecycle, Runs, Step, StepKind};
use longshore_workflow::template::Token;

use super::{HandlerEnd, composite, docker, javascript};
use crate::action::{PreStep, ResolvedAction, Using, local, manifest_in, remote};
use crate::context::Scope;
use crate::evaluate::{EvaluationError, Evaluator};
use crate::native::NativeAction;
use crate::runner::ActionMode;
use crate::step::StepCall;

/// The inputs of an action: names as written, values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inputs(Vec<(String, String)>);

/// What an action leaves to be done after the steps.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// The name of the step that used it.
    pub(crate) name: String,
    /// The id of that step.
    pub(crate) id: String,
    /// `uses:` of that step.
    pub(crate) uses: String,
    /// Whether it is to be done; always without one.
    pub(crate) condition: Option<Condition>,
    pub(crate) inputs: Inputs,
    /// What the action saved for it.
    pub(crate) state: Vec<(String, String)>,
    /// `env` of the step.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) kind: PostKind,
}

/// Whose end it is.
#[derive(Debug, Clone)]
pub(crate) enum PostKind {
    /// A built-in action.
    Native(NativeAction),
    /// A fetched action, or one of the workspace.
    Fetched(ResolvedAction),
}

impl Inputs {
    /// These inputs.
    pub(super) fn of(inputs: Vec<(String, String)>) -> Self {
        Self(inputs)
    }

    /// The value of an input, whatever its case; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The value of an input, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Sets an input unless it is given.
    pub(crate) fn set_default(&mut self, name: &str, value: String) {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), value));
        }
    }

    /// The inputs as `INPUT_…` variables.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str| format!("INPUT_{}", name.replace(' ', "_").to_uppercase());
        self.0.iter().map(|(name, value)| (variable(name), value.clone())).collect()
    }

    /// The inputs as a value.
    pub(crate) fn value(&self) -> Value {
        crate::context::texts(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Carries out an action.
pub(super) fn main(call: &mut StepCall<'_>, step: &Step, uses: &str, with: Option<&Token>) -> HandlerEnd {
    let inputs = match given(call, with) {
        Ok(inputs) => inputs,
        Err(error) => return HandlerEnd::failed(call, error.to_string()),
    };
    if let Some(image) = uses.strip_prefix("docker://") {
        show(call, uses, &inputs);
        return docker::image(call, image, &inputs);
    }
    if call.steps.run.runner.action_mode == ActionMode::Native
        && let Some(action) = NativeAction::find(uses)
    {
        show(call, uses, &inputs);
        return native(call, action, uses, inputs);
    }
    let action = match find(call, uses) {
        Ok(action) => action,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let inputs = match with_defaults(call, &action, inputs) {
        Ok(inputs) => inputs,
        Err(error) => return HandlerEnd::failed(call, error.to_string()),
    };
    call.state = call.steps.saved_state(&call.id);
    show(call, uses, &inputs);
    set_action(call, &action);
    let end = match action.manifest.as_ref().and_then(|manifest| manifest.runs.clone()) {
        Some(Runs::Composite { steps }) => composite::main(call, &action, &inputs, &steps),
        Some(Runs::Node { using, main, .. }) => {
            javascript::run(call, &action, (&using.value, &main.value), &inputs)
        }
        Some(Runs::Docker { .. }) => docker::action(call, &action, &inputs, docker::Stage::Main),
        None if action.manifest.is_none() => docker::action(call, &action, &inputs, docker::Stage::Main),
        None => {
            HandlerEnd::failed(call, format!("`{uses}` does not say how it runs: its manifest has no `runs`"))
        }
    };
    if let Some(lifecycle) = with_post(&action) {
        let condition = lifecycle.post_if.clone();
        let kind = PostKind::Fetched(action);
        let name = post_name(call, step, uses);
        leave(call, (&name, uses), condition, inputs, kind);
    }
    end
}

fn native(call: &mut StepCall<'_>, action: NativeAction, uses: &str, inputs: Inputs) -> HandlerEnd {
    call.inputs = inputs.clone();
    uses.clone_into(&mut call.uses);
    let end = action.main(call);
    if action.has_post() {
        let post = Post {
            name: format!("Run {uses}"),
            id: call.id.clone(),
            uses: uses.to_owned(),
            condition: action.post_condition(),
            inputs,
            state: call.state.clone(),
            env: call.env.clone(),
            kind: PostKind::Native(action),
        };
        call.steps.posts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(post);
    }
    end
}

/// Carries out what an action wants to be done before the first step.
pub(super) fn pre(call: &mut StepCall<'_>, pre: &PreStep) -> HandlerEnd {
    // Contexts of steps to come are empty before the first one, as on GitHub.
    let inputs = match inputs_before(call, pre) {
        Ok(inputs) => inputs,
        Err(error) => return HandlerEnd::failed(call, error.to_string()),
    };
    let action = &pre.using.action;
    set_action(call, action);
    let end = match action.manifest.as_ref().and_then(|manifest| manifest.runs.as_ref()) {
        Some(Runs::Node { using, lifecycle, .. }) => match &lifecycle.pre {
            Some(entry) => javascript::run(call, action, (&using.value, &entry.value), &inputs),
            None => HandlerEnd::success(),
        },
        Some(Runs::Docker { lifecycle, .. }) => match &lifecycle.pre {
            Some(entry) => docker::action(call, action, &inputs, docker::Stage::Beside(&entry.value)),
            None => HandlerEnd::success(),
        },
        _ => HandlerEnd::success(),
    };
    call.steps.save_state(&call.id, call.state.clone());
    end
}

/// The inputs of an action before the first step: through those of the composite actions around it.
fn inputs_before(call: &mut StepCall<'_>, pre: &PreStep) -> Result<Inputs, EvaluationError> {
    let frame = call.frame;
    let mut file = frame.file;
    for using in &pre.around {
        let inputs = inputs_of(file, &call.scope, using)?;
        call.scope.set("inputs", inputs.value());
        call.scope.set("secrets", Value::Null);
        if let Some(manifest) = &using.action.manifest {
            file = &manifest.file;
        }
    }
    inputs_of(file, &call.scope, &pre.using)
}

fn inputs_of(file: &SourceFile, scope: &Scope, using: &Using) -> Result<Inputs, EvaluationError> {
    let with = match &using.step.kind {
        StepKind::Uses { with, .. } => with.as_ref(),
        _ => None,
    };
    let texts = with.map(|token| Evaluator::new(file, scope).texts(token)).transpose()?;
    let mut inputs = Inputs(texts.unwrap_or_default());
    add_defaults(&using.action, scope, &mut inputs)?;
    Ok(inputs)
}

/// Carries out what an action wants to be done after the steps.
pub(super) fn post(call: &mut StepCall<'_>, post: &Post) -> HandlerEnd {
    call.env.clone_from(&post.env);
    call.state.clone_from(&post.state);
    match &post.kind {
        PostKind::Native(action) => {
            call.inputs = post.inputs.clone();
            action.post(call)
        }
        PostKind::Fetched(action) => {
            set_action(call, action);
            match action.manifest.as_ref().and_then(|manifest| manifest.runs.as_ref()) {
                Some(Runs::Node { using, lifecycle, .. }) => match &lifecycle.post {
                    Some(entry) => javascript::run(call, action, (&using.value, &entry.value), &post.inputs),
                    None => HandlerEnd::success(),
                },
                Some(Runs::Docker { lifecycle, .. }) => match &lifecycle.post {
                    Some(entry) => {
                        docker::action(call, action, &post.inputs, docker::Stage::Beside(&entry.value))
                    }
                    None => HandlerEnd::success(),
                },
                _ => HandlerEnd::success(),
            }
        }
    }
}

fn leave(
    call: &StepCall<'_>,
    (name, uses): (&str, &str),
    condition: Option<Condition>,
    inputs: Inputs,
    kind: PostKind,
) {
    let post = Post {
        name: name.to_owned(),
        id: call.id.clone(),
        uses: uses.to_owned(),
        condition,
        inputs,
        state: call.state.clone(),
        env: call.env.clone(),
        kind,
    };
    call.steps.posts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(post);
}

fn post_name(call: &StepCall<'_>, step: &Step, uses: &str) -> String {
    let name =
        step.name.as_ref().and_then(|name| Evaluator::new(call.frame.file, &call.scope).text(name).ok());
    name.unwrap_or_else(|| format!("Run {uses}"))
}

/// What an action does before and after the steps, if it does something after them.
fn with_post(action: &ResolvedAction) -> Option<&Lifecycle> {
    match action.manifest.as_ref()?.runs.as_ref()? {
        Runs::Node { lifecycle, .. } | Runs::Docker { lifecycle, .. } => {
            Some(&**lifecycle).filter(|lifecycle| lifecycle.post.is_some())
        }
        Runs::Composite { .. } => None,
    }
}

/// `with:`, evaluated.
fn given(call: &StepCall<'_>, with: Option<&Token>) -> Result<Inputs, EvaluationError> {
    let texts = with.map(|token| Evaluator::new(call.frame.file, &call.scope).texts(token)).transpose()?;
    Ok(Inputs(texts.unwrap_or_default()))
}

/// Adds the defaults of an action's inputs, which are expressions of its own file.
fn with_defaults(
    call: &StepCall<'_>,
    action: &ResolvedAction,
    mut inputs: Inputs,
) -> Result<Inputs, EvaluationError> {
    if let Some(manifest) = &action.manifest {
        warn(call, manifest, &inputs);
    }
    add_defaults(action, &call.scope, &mut inputs)?;
    Ok(inputs)
}

fn add_defaults(action: &ResolvedAction, scope: &Scope, inputs: &mut Inputs) -> Result<(), EvaluationError> {
    let Some(manifest) = &action.manifest else { return Ok(()) };
    let evaluator = Evaluator::new(&manifest.file, scope);
    for input in &manifest.inputs {
        if inputs.get(&input.name.value).is_none() {
            // An input that nobody gives, and that has no default, is there and empty.
            let default = input.default.as_ref().map(|default| evaluator.text(default)).transpose()?;
            inputs.set_default(&input.name.value, default.unwrap_or_default());
        }
    }
    Ok(())
}

fn warn(call: &StepCall<'_>, manifest: &ActionManifest, inputs: &Inputs) {
    let known = |name: &str| manifest.inputs.iter().find(|input| input.name.value.eq_ignore_ascii_case(name));
    let is_docker = matches!(manifest.runs, Some(Runs::Docker { .. }));
    let valid: Vec<String> = manifest.inputs.iter().map(|input| format!("'{}'", input.name.value)).collect();
    let own = |name: &str| {
        is_docker && (name.eq_ignore_ascii_case("args") || name.eq_ignore_ascii_case("entrypoint"))
    };
    let unknown: Vec<String> = inputs
        .iter()
        .filter(|(name, _)| known(name).is_none() && !own(name))
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    if !unknown.is_empty() {
        call.voice.warning(&format!(
            "Unexpected input(s) {}, valid inputs are [{}]",
            unknown.join(", "),
            valid.join(", ")
        ));
    }
    for (name, _) in inputs.iter() {
        if let Some(message) = known(name).and_then(|input| input.deprecation.as_deref()) {
            call.voice.warning(&format!("Input '{name}' has been deprecated with message: {message}"));
        }
    }
}

/// The action that `uses:` names.
fn find(call: &StepCall<'_>, uses: &str) -> Result<ResolvedAction, String> {
    let place = call.steps.place;
    if let Some(path) = local(uses) {
        let inside = if path.is_empty() {
            place.paths.workspace.clone()
        } else {
            format!("{}/{path}", place.paths.workspace)
        };
        let outside =
            place.paths.outside(&inside).ok_or_else(|| format!("`{uses}` leads out of the workspace"))?;
        if path.split('/').any(|part| part == "..") {
            return Err(format!("`{uses}` leads out of the workspace"));
        }
        let manifest = manifest_in(&outside, &inside)?;
        return Ok(ResolvedAction { manifest, inside, repository: None, version: None });
    }
    if let Some(path) = uses.strip_prefix("$/") {
        return of_same_repository(call, uses, path.trim_end_matches('/'));
    }
    let reference = remote(uses).ok_or_else(|| format!("`{uses}` is no action"))?;
    of_other_repository(call, &reference)
}

fn of_other_repository(call: &StepCall<'_>, reference: &SourceRef) -> Result<ResolvedAction, String> {
    match call.frame.actions.find(reference) {
        Some(action) => Ok(action.clone()),
        None => call.steps.late.find(call.steps.run, call.steps.place, reference, &call.voice),
    }
}

/// `$/PATH`: an action of the repository of the file that says so, at the commit that runs.
fn of_same_repository(call: &StepCall<'_>, uses: &str, path: &str) -> Result<ResolvedAction, String> {
    let text = |key: &str| call.frame.scope.text("github", key).filter(|text| !text.is_empty());
    let remote = if call.frame.depth > 0 {
        text("action_repository").zip(text("action_ref"))
    } else {
        call.steps.run.remote_workflow().map(|remote| (remote.repository, remote.version))
    };
    if let Some((repository, version)) = remote {
        let reference = crate::action::remote(&format!("{repository}/{path}@{version}"));
        return of_other_repository(call, &reference.ok_or_else(|| format!("`{uses}` is no action"))?);
    }
    if path.split('/').any(|part| part == "..") {
        return Err(format!("`{uses}` leads out of the repository"));
    }
    let inside = format!("{}/{path}", crate::native::checkout::lay_actions(call)?);
    let outside = call.steps.place.paths.outside(&inside);
    let outside = outside.ok_or_else(|| format!("`{uses}` leads out of the repository"))?;
    let manifest = manifest_in(&outside, &inside)?;
    Ok(ResolvedAction { manifest, inside, repository: None, version: None })
}

/// What the `github` context says of the action that runs.
fn set_action(call: &mut StepCall<'_>, action: &ResolvedAction) {
    let entries = [
        ("action_path", Some(action.inside.clone())),
        ("action_repository", action.repository.clone()),
        ("action_ref", action.version.clone()),
    ];
    for (key, value) in entries {
        call.scope.set_entry("github", key, Value::from(value.unwrap_or_default().as_str()));
    }
}

/// What the log of an action begins with.
fn show(call: &StepCall<'_>, uses: &str, inputs: &Inputs) {
    let mut lines = vec![format!("##[group]Run {uses}")];
    let inputs: Vec<(&str, &str)> = inputs.iter().filter(|(_, value)| !value.is_empty()).collect();
    if !inputs.is_empty() {
        lines.push("with:".to_owned());
        lines.extend(inputs.iter().map(|(name, value)| format!("  {name}: {value}")));
    }
    if !call.env.is_empty() {
        lines.push("env:".to_owned());
        lines.extend(call.env.iter().map(|(name, value)| format!("  {name}: {value}")));
    }
    lines.push("##[endgroup]".to_owned());
    call.voice.lines(lines.iter().map(String::as_str));
}
