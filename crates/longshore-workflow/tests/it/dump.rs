//! The model as text: every field that is there, in one line each.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use longshore_syntax::Spanned;
use longshore_workflow::model::{
    ActionManifest, CallSecrets, Concurrency, Condition, Defaults, Input, Job, JobKind, Lifecycle,
    Permissions, Runs, Step, StepKind, Trigger, Workflow,
};
use longshore_workflow::schema::{Definition, Shape};
use longshore_workflow::template::{Token, TokenKind};

/// Lines with indentation.
#[derive(Default)]
struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn line(&mut self, key: &str, value: impl fmt::Display) {
        let _ = writeln!(self.text, "{:width$}{key}: {value}", "", width = self.depth * 2);
    }

    fn token(&mut self, key: &str, token: Option<&Token>) {
        if let Some(token) = token {
            self.line(key, show(token));
        }
    }

    fn within(&mut self, heading: &str, fill: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.text, "{:width$}{heading}", "", width = self.depth * 2);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
    }
}

/// A workflow.
pub(crate) fn workflow(workflow: &Workflow) -> String {
    let mut out = Lines::default();
    out.line("name", workflow.display_name());
    out.token("run-name", workflow.run_name.as_ref());
    workflow.triggers.iter().for_each(|found| trigger(&mut out, found));
    permissions(&mut out, workflow.permissions.as_ref());
    out.token("env", workflow.env.as_ref());
    defaults(&mut out, &workflow.defaults);
    concurrency(&mut out, workflow.concurrency.as_ref());
    workflow.jobs.iter().for_each(|found| job(&mut out, found));
    out.text
}

/// An action manifest.
pub(crate) fn action(action: &ActionManifest) -> String {
    let mut out = Lines::default();
    out.line("name", action.name.as_ref().map_or("", |name| name.value.as_str()));
    out.line("description", action.description.as_deref().unwrap_or_default());
    for input in &action.inputs {
        let text = format!("required={} default={}", input.required, maybe(input.default.as_ref()));
        out.line(&format!("input {}", input.name.value), text);
    }
    for output in &action.outputs {
        out.line(&format!("output {}", output.name.value), maybe(output.value.as_ref()));
    }
    match action.runs.as_ref() {
        None => out.line("runs", "nothing"),
        Some(Runs::Node { using, main, lifecycle: around }) => {
            out.line(&using.value, &main.value);
            lifecycle(&mut out, around);
        }
        Some(Runs::Docker { image, entrypoint, args, env, lifecycle: around }) => {
            out.line("docker", &image.value);
            out.line("entrypoint", entrypoint.as_ref().map_or("-", |text| text.value.as_str()));
            args.iter().for_each(|arg| out.line("arg", show(arg)));
            out.token("env", env.as_ref());
            lifecycle(&mut out, around);
        }
        Some(Runs::Composite { steps }) => steps.iter().for_each(|found| step(&mut out, found)),
    }
    out.text
}

/// Every known key of a schema.
pub(crate) fn schema_keys(definition: &'static Definition, found: &mut BTreeSet<&'static str>) {
    match &definition.shape {
        Shape::OneOf(choices) => choices.iter().for_each(|choice| schema_keys(choice, found)),
        // `parallel` holds steps again.
        Shape::Sequence(item) if !(definition.name == "steps" && found.contains("parallel")) => {
            schema_keys(item, found);
        }
        Shape::Mapping(mapping) => {
            for property in mapping.properties {
                found.insert(property.name);
                schema_keys(property.definition, found);
            }
            if let Some((_, value)) = mapping.loose {
                schema_keys(value, found);
            }
        }
        _ => {}
    }
}

fn trigger(out: &mut Lines, trigger: &Trigger) {
    out.within(&format!("on {}", trigger.event.value), |out| {
        if let Some(types) = &trigger.types {
            out.line("types", words(types));
        }
        for filter in &trigger.filters {
            out.line(filter.kind.as_str(), words(&filter.patterns));
        }
        for (key, list) in
            [("workflows", &trigger.workflows), ("names", &trigger.names), ("versions", &trigger.versions)]
        {
            if !list.is_empty() {
                out.line(key, words(list));
            }
        }
        for schedule in &trigger.schedules {
            let zone = schedule.timezone.as_ref().map_or("UTC", |zone| zone.value.as_str());
            out.line("cron", format!("{} in {zone}", schedule.cron.value));
        }
        trigger.inputs.iter().for_each(|found| input(out, found));
        for secret in &trigger.secrets {
            out.line(&format!("secret {}", secret.name.value), format!("required={:?}", secret.required));
        }
        for output in &trigger.outputs {
            out.line(&format!("output {}", output.name.value), show(&output.value));
        }
    });
}

fn input(out: &mut Lines, input: &Input) {
    let mut text = format!("{} required={:?}", input.kind.as_str(), input.required);
    let _ = write!(text, " default={}", maybe(input.default.as_ref()));
    if !input.options.is_empty() {
        let _ = write!(text, " options={}", words(&input.options));
    }
    out.line(&format!("input {}", input.name.value), text);
}

fn job(out: &mut Lines, job: &Job) {
    out.within(&format!("job {}", job.id.value), |out| {
        out.token("name", job.name.as_ref());
        if job.has_needs {
            out.line("needs", words(&job.needs));
        }
        condition(out, "if", Some(&job.condition));
        out.token("strategy", job.strategy.as_ref());
        permissions(out, job.permissions.as_ref());
        concurrency(out, job.concurrency.as_ref());
        match &job.kind {
            JobKind::Call(call) => {
                out.line("uses", &call.uses.value);
                out.token("with", call.with.as_ref());
                match &call.secrets {
                    CallSecrets::None => {}
                    CallSecrets::Inherit => out.line("secrets", "inherited"),
                    CallSecrets::Mapping(token) => out.token("secrets", Some(token)),
                }
            }
            JobKind::Steps(steps) => {
                for (key, token) in [
                    ("runs-on", &steps.runs_on),
                    ("environment", &steps.environment),
                    ("env", &steps.env),
                    ("timeout-minutes", &steps.timeout_minutes),
                    ("cancel-timeout-minutes", &steps.cancel_timeout_minutes),
                    ("continue-on-error", &steps.continue_on_error),
                    ("container", &steps.container),
                    ("services", &steps.services),
                    ("outputs", &steps.outputs),
                    ("snapshot", &steps.snapshot),
                ] {
                    out.token(key, token.as_ref());
                }
                defaults(out, &steps.defaults);
                steps.steps.iter().for_each(|found| step(out, found));
            }
        }
    });
}

fn step(out: &mut Lines, step: &Step) {
    out.within(&format!("step {}", step.id), |out| {
        for (key, token) in [
            ("name", &step.name),
            ("continue-on-error", &step.continue_on_error),
            ("timeout-minutes", &step.timeout_minutes),
            ("env", &step.env),
        ] {
            out.token(key, token.as_ref());
        }
        condition(out, "if", Some(&step.condition));
        if let Some(background) = &step.background {
            out.line("background", background.value);
        }
        match &step.kind {
            StepKind::Run { script, shell, working_directory } => {
                out.line("run", show(script));
                out.token("shell", shell.as_ref());
                out.token("working-directory", working_directory.as_ref());
            }
            StepKind::Uses { uses, with } => {
                out.line("uses", &uses.value);
                out.token("with", with.as_ref());
            }
            StepKind::Wait { targets } => out.line("wait", words(targets)),
            StepKind::WaitAll => out.line("wait-all", ""),
            StepKind::Cancel { target } => out.line("cancel", &target.value),
            StepKind::Parallel { steps } => steps.iter().for_each(|inner| self::step(out, inner)),
        }
    });
}

fn lifecycle(out: &mut Lines, lifecycle: &Lifecycle) {
    for (key, text) in [("pre", &lifecycle.pre), ("post", &lifecycle.post)] {
        if let Some(text) = text {
            out.line(key, &text.value);
        }
    }
    condition(out, "pre-if", lifecycle.pre_if.as_ref());
    condition(out, "post-if", lifecycle.post_if.as_ref());
}

fn condition(out: &mut Lines, key: &str, condition: Option<&Condition>) {
    if let Some(condition) = condition.filter(|condition| condition.written.is_some()) {
        let text = if condition.is_text { " (text, always true)" } else { "" };
        out.line(key, format!("{}{text}", condition.text));
    }
}

fn permissions(out: &mut Lines, permissions: Option<&Permissions>) {
    match permissions {
        None => {}
        Some(Permissions::All(access)) => out.line("permissions", access.value.as_str()),
        Some(Permissions::Scopes(scopes)) => {
            let scopes: Vec<String> = scopes
                .iter()
                .map(|(scope, access)| format!("{}={}", scope.value, access.value.as_str()))
                .collect();
            out.line("permissions", scopes.join(" "));
        }
    }
}

fn defaults(out: &mut Lines, defaults: &Defaults) {
    out.token("default shell", defaults.shell.as_ref());
    out.token("default working-directory", defaults.working_directory.as_ref());
}

fn concurrency(out: &mut Lines, concurrency: Option<&Concurrency>) {
    if let Some(concurrency) = concurrency {
        let queue = concurrency.queue.as_ref().map_or("-", |queue| queue.value.as_str());
        let group = maybe(concurrency.group.as_ref());
        let cancel = maybe(concurrency.cancel_in_progress.as_ref());
        out.line("concurrency", format!("{group} cancel={cancel} queue={queue}"));
    }
}

fn words(list: &[Spanned<String>]) -> String {
    list.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn maybe(token: Option<&Token>) -> String {
    token.map_or_else(|| "-".to_owned(), show)
}

/// A token in one line: text in quotes, expressions in `${{ }}`.
fn show(token: &Token) -> String {
    match &token.kind {
        TokenKind::Null => "null".to_owned(),
        TokenKind::Bool(value) => value.to_string(),
        TokenKind::Number(value) => value.to_string(),
        TokenKind::String(text) => format!("{text:?}"),
        TokenKind::Expression(expression) => format!("${{{{ {} }}}}", expression.text),
        TokenKind::Insert(_) => "${{ insert }}".to_owned(),
        TokenKind::Sequence(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        TokenKind::Mapping(entries) => {
            let entry = |(key, value): &(Token, Token)| {
                format!("{}: {}", key.as_str().map_or_else(|| show(key), str::to_owned), show(value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
