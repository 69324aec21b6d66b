//! Jobs of the tree, with the jobs of the workflows that they call.

use longshore_syntax::SourceFile;
use longshore_workflow::plan::{
    ActionUse, CallPlan, CallSecretsPlan, CalledWorkflow, ContainerPlan, EnvironmentPlan, JobBody,
    JobInstance, JobPlan, MatrixPlan, Planned, StepPlan, StepPlanKind, StepsPlan, TokenPermissions, Verdict,
};

use super::layout::{Node, Text};
use super::{Detail, value, workflow};
use crate::Role;
use crate::plan::view::Outcome;

/// Cells and other alternatives that the short form lists.
const FEW: usize = 6;

/// What a job is shown in.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// What the workflow's token may do; a job's own permissions are shown where they differ.
    pub(super) permissions: &'a TokenPermissions,
    /// The file that the job stands in.
    pub(super) file: &'a SourceFile,
    pub(super) detail: Detail,
}

impl Context<'_> {
    fn is_full(self) -> bool {
        self.detail == Detail::Full
    }

    fn most(self) -> usize {
        if self.is_full() { usize::MAX } else { FEW }
    }

    pub(super) fn job(self, job: &JobPlan) -> Node {
        let mut node = Node::new(heading(job));
        if self.verdict(job, &mut node) {
            return node;
        }
        node.row("needs", Text::plain(&job.needs.join(", ")));
        self.matrix(job, &mut node);
        let steps: Vec<&StepsPlan> = job.instances.iter().filter_map(steps_of).collect();
        self.places(&steps, &mut node);
        self.gates(job, &mut node);
        if self.is_full() && !steps.is_empty() {
            limits(&steps, &mut node);
        }
        self.uses(&steps, &mut node);
        if let (true, Some(steps)) = (self.is_full(), steps.first()) {
            node.children.push(Node {
                head: Text::default().faint(if job.instances.len() > 1 {
                    "steps of the first cell"
                } else {
                    "steps"
                }),
                rows: Vec::new(),
                children: steps.steps.iter().map(step).collect(),
            });
        }
        for instance in &job.instances {
            if let JobBody::Call(call) = &instance.body {
                self.call(call, instance, &mut node);
            }
        }
        node
    }

    /// Whether the job runs; `true` if that is all there is to say.
    fn verdict(self, job: &JobPlan, node: &mut Node) -> bool {
        match &job.verdict {
            Verdict::Runs => {
                if let Some(condition) = job.condition.as_ref().filter(|_| self.is_full()) {
                    node.row("if", Text::plain(&value::one_line(condition)));
                }
                false
            }
            Verdict::Deferred(later) => {
                node.row("if", value::deferred(later));
                false
            }
            Verdict::Skipped { text, span } => {
                let line = self.file.position(span.start).line;
                node.row("skipped", Text::plain(text).faint(&format!(" (line\u{a0}{line})")));
                true
            }
            Verdict::Failed(why) => {
                node.row("fails", Text::plain(why));
                true
            }
        }
    }

    fn matrix(self, job: &JobPlan, node: &mut Node) {
        match &job.matrix {
            MatrixPlan::None => {}
            MatrixPlan::Deferred(later) => node.row("matrix", value::deferred(later)),
            MatrixPlan::Failed(why) => {
                node.row("matrix", Text::default().role(Role::Error, "fails").and(": ").and(why));
            }
            MatrixPlan::Cells { fail_fast, max_parallel } => {
                let cells = job.instances.iter().filter_map(|instance| instance.cell.as_ref());
                for (at, cell) in cells.clone().take(self.most()).enumerate() {
                    node.row(if at == 0 { "cells" } else { "" }, Text::plain(&value::cell(cell)));
                }
                let rest = cells.count().saturating_sub(self.most());
                if rest > 0 {
                    node.row("", Text::default().faint(&format!("and {rest} more, see --verbose")));
                }
                if let (true, Planned::Known(false)) = (self.is_full(), fail_fast) {
                    node.row("fail-fast", Text::plain("false"));
                }
                if let (true, Some(most)) = (self.is_full(), max_parallel) {
                    node.row(
                        "parallel",
                        Text::plain("at most ").and(&value::words(most, |most| value::number(*most))),
                    );
                }
            }
        }
    }

    /// Images that the job runs in and beside.
    fn places(self, steps: &[&StepsPlan], node: &mut Node) {
        let containers = steps.iter().filter_map(|steps| steps.container.as_ref()).map(image);
        node.row("container", Text::plain(&value::list(containers, self.most())));
        let services = steps.iter().flat_map(|steps| &steps.services);
        let services = services.map(|(name, service)| format!("{name} ({})", image(service)));
        node.row("services", Text::plain(&value::list(services, self.most())));
    }

    /// What may hold the job back or let it do more.
    fn gates(self, job: &JobPlan, node: &mut Node) {
        let steps = job.instances.iter().filter_map(steps_of);
        let environments =
            steps.filter_map(|steps| steps.environment.as_ref()).map(|plan| self.environment(plan));
        node.row("environment", Text::plain(&value::list(environments, self.most())));
        if let Some(instance) = job.instances.first() {
            if let Some(concurrency) = &instance.concurrency {
                node.row("concurrency", workflow::concurrency(concurrency));
            }
            if instance.permissions != *self.permissions {
                let permissions = value::permissions(&instance.permissions);
                let known = if permissions.is_empty() { "as the repository has it" } else { &permissions };
                node.row("permissions", Text::plain(known));
            }
        }
    }

    fn environment(self, plan: &EnvironmentPlan) -> String {
        let mut text = value::words(&plan.name, |name| value::one_line(name));
        if let Some(url) = plan.url.as_ref().filter(|_| self.is_full()) {
            text += &format!(" at {}", value::words(url, |url| value::one_line(url)));
        }
        if plan.deployment.known() == Some(&false) {
            text += " without deployment";
        }
        text
    }

    fn uses(self, steps: &[&StepsPlan], node: &mut Node) {
        let name = |action: &ActionUse| {
            let via = action.via.iter().map(|via| format!(" in {}", value::short_action(via)));
            if self.is_full() {
                format!("{}{}", action.uses, via.collect::<String>())
            } else {
                value::short_action(&action.uses)
            }
        };
        let actions = steps.iter().flat_map(|steps| &steps.actions).map(name);
        node.row("uses", Text::plain(&value::list(actions, self.most())));
        if self.is_full() {
            let secrets = steps.iter().flat_map(|steps| steps.secrets.iter().cloned());
            node.row("secrets", Text::plain(&value::list(secrets, usize::MAX)));
            let vars = steps.iter().flat_map(|steps| steps.vars.iter().cloned());
            node.row("vars", Text::plain(&value::list(vars, usize::MAX)));
        }
    }

    /// A called workflow. With a matrix every cell calls it, and the cell is named.
    fn call(self, call: &CallPlan, instance: &JobInstance, node: &mut Node) {
        let mut called = Node::new(Text::default().faint("calls ").and(&call.uses));
        if let Some(cell) = &instance.cell {
            called.row("cell", Text::plain(&value::cell(cell)));
        }
        for (at, (name, input)) in call.inputs.iter().enumerate() {
            let label = if at == 0 { "with" } else { "" };
            let text = Text::plain(name).and(": ");
            called.row(label, text.and(&value::words(input, value::value_text)));
        }
        if self.is_full() {
            called.row("secrets", Text::plain(&secrets(&call.secrets)));
        }
        match &call.called {
            CalledWorkflow::Missing(why) => called.row("missing", Text::plain(why)),
            CalledWorkflow::Refused(why) => called.row("refused", Text::plain(why)),
            CalledWorkflow::Skipped => {}
            CalledWorkflow::Jobs { file, jobs, stages, outputs, .. } => {
                if self.is_full() {
                    called.row("outputs", Text::plain(&outputs.join(", ")));
                }
                called.children = workflow::stages(jobs, stages, &instance.permissions, file, self.detail);
            }
        }
        node.children.push(called);
    }
}

fn steps_of(instance: &JobInstance) -> Option<&StepsPlan> {
    match &instance.body {
        JobBody::Steps(steps) => Some(steps),
        JobBody::Call(_) => None,
    }
}

/// A sign for whether it runs, its id, how often, its name and its runners.
fn heading(job: &JobPlan) -> Text {
    let (role, sign) = match Outcome::of(job) {
        Outcome::Runs => (Role::Note, "●"),
        Outcome::Skipped => (Role::Faint, "○"),
        Outcome::Deferred => (Role::Warning, "◌"),
        Outcome::Fails => (Role::Error, "✗"),
    };
    let mut text = Text::default().role(role, sign).and(" ").role(Role::Strong, &job.id);
    text = match &job.matrix {
        MatrixPlan::Cells { .. } => text.and(&format!(" × {}", job.instances.len())),
        MatrixPlan::Deferred(_) => text.and(" × ?"),
        MatrixPlan::None | MatrixPlan::Failed(_) => text,
    };
    if let ([JobInstance { name: Planned::Known(name), .. }], MatrixPlan::None) =
        (job.instances.as_slice(), &job.matrix)
    {
        let own = name.rsplit_once(" / ").map_or(name.as_str(), |(_, own)| own);
        if own != job.id {
            text = text.faint(" · ").and(&value::one_line(own));
        }
    }
    if matches!(job.verdict, Verdict::Skipped { .. }) {
        return text;
    }
    let runners = job.instances.iter().filter_map(steps_of);
    let runners = runners.map(|steps| value::words(&steps.runs_on, value::runs_on));
    let runners = value::list(runners, FEW);
    if runners.is_empty() { text } else { text.faint(&format!(" [{runners}]")) }
}

fn limits(steps: &[&StepsPlan], node: &mut Node) {
    let minutes =
        steps.iter().map(|steps| value::words(&steps.timeout_minutes, |minutes| value::number(*minutes)));
    node.row("timeout", Text::plain(&value::list(minutes, FEW)).and(" minutes"));
    if steps.iter().any(|steps| steps.continue_on_error.known() != Some(&false)) {
        let tolerated = steps.iter().map(|steps| value::words(&steps.continue_on_error, ToString::to_string));
        node.row("continue", Text::plain("on error: ").and(&value::list(tolerated, FEW)));
    }
    let outputs = steps.iter().flat_map(|steps| steps.outputs.iter().cloned());
    node.row("outputs", Text::plain(&value::list(outputs, usize::MAX)));
}

fn image(container: &ContainerPlan) -> String {
    match &container.image {
        Planned::Known(image) if image.is_empty() => "off".to_owned(),
        image => value::words(image, |image| value::one_line(image)),
    }
}

fn secrets(secrets: &CallSecretsPlan) -> String {
    match secrets {
        CallSecretsPlan::None => String::new(),
        CallSecretsPlan::Inherit => "all of the caller's".to_owned(),
        CallSecretsPlan::Mapping(secrets) => {
            let named = secrets.iter().map(|(name, from)| match from.as_slice() {
                [from] if from.eq_ignore_ascii_case(name) => name.clone(),
                from => format!("{name} (from {})", from.join(", ")),
            });
            named.collect::<Vec<_>>().join(", ")
        }
    }
}

/// One step: its name, and what is special about it.
fn step(step: &StepPlan) -> Node {
    let name = value::words(&step.name, |name| value::one_line(name));
    let mut head = Text::plain(&name);
    if step.background {
        head = head.faint(" (in the background)");
    }
    let mut node = Node::new(head);
    if let Some(condition) = &step.condition {
        node.row("if", Text::plain(&value::one_line(condition)));
    }
    match &step.kind {
        StepPlanKind::Uses { uses } if !name.contains(uses.as_str()) => node.row("uses", Text::plain(uses)),
        StepPlanKind::Wait { targets } => node.row("waits for", Text::plain(&targets.join(", "))),
        StepPlanKind::Cancel { target } => node.row("cancels", Text::plain(target)),
        StepPlanKind::Parallel { steps } => node.children = steps.iter().map(self::step).collect(),
        StepPlanKind::Run | StepPlanKind::Uses { .. } | StepPlanKind::WaitAll => {}
    }
    node
}
