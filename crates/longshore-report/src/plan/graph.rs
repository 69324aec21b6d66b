//! The jobs of a plan as nodes and arrows, which the drawing formats write down.

use longshore_workflow::plan::{CalledWorkflow, JobBody, JobPlan, MatrixPlan, Plan, Planned};

use super::view::Outcome;

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// One group for each workflow that starts.
    pub(super) groups: Vec<Group>,
    /// Workflows that follow.
    pub(super) followers: Vec<Vertex>,
    pub(super) arrows: Vec<Arrow>,
}

/// A workflow: its jobs, and the workflows that they call.
#[derive(Debug)]
pub(super) struct Group {
    /// A letter and digits, with `_` between.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) vertices: Vec<Vertex>,
    pub(super) groups: Vec<Group>,
}

#[derive(Debug)]
pub(super) struct Vertex {
    /// A letter and digits, with `_` between.
    pub(super) id: String,
    pub(super) label: String,
    pub(super) look: Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Runs,
    Skipped,
    Deferred,
    Failed,
    Follows,
}

#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) kind: ArrowKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrowKind {
    /// The job at the tip needs the other one.
    Need,
    /// The job at the tip belongs to a workflow that the other one calls.
    Call,
    /// The workflow at the tip follows the other one; `from` is a group.
    Follow,
}

impl Graph {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut graph = Self::default();
        for (at, workflow) in plan.workflows.iter().enumerate() {
            if let Some(run) = &workflow.run {
                let title = format!("{} ({})", workflow.name, workflow.file.name());
                let group = graph.group(format!("w{at}"), title, &run.jobs);
                graph.groups.push(group);
            }
        }
        for (at, follow_up) in plan.follow_ups.iter().enumerate() {
            let id = format!("f{at}");
            for (workflow, plan) in plan.workflows.iter().enumerate() {
                if plan.run.is_some() && follow_up.after.iter().any(|path| path == plan.file.name()) {
                    graph.arrow(&format!("w{workflow}"), &id, ArrowKind::Follow);
                }
            }
            graph.followers.push(Vertex { id, label: follow_up.name.clone(), look: Look::Follows });
        }
        graph
    }

    fn group(&mut self, id: String, title: String, jobs: &[JobPlan]) -> Group {
        let mut group = Group { id, title, vertices: Vec::new(), groups: Vec::new() };
        let vertex_id = |at: usize| format!("{}_j{at}", group.id);
        for (at, job) in jobs.iter().enumerate() {
            let id = vertex_id(at);
            for need in &job.needs {
                if let Some(need) = jobs.iter().position(|other| other.id.eq_ignore_ascii_case(need)) {
                    self.arrow(&vertex_id(need), &id, ArrowKind::Need);
                }
            }
            // Every cell calls the same workflow; one drawing of it is enough.
            if let Some((title, called)) = called(job) {
                let inner = self.group(format!("{id}_c"), title, called);
                let first = called.iter().zip(&inner.vertices).filter(|(job, _)| job.needs.is_empty());
                first.for_each(|(_, vertex)| self.arrow(&id, &vertex.id, ArrowKind::Call));
                group.groups.push(inner);
            }
            group.vertices.push(Vertex { id, label: label(job), look: look(job) });
        }
        group
    }

    fn arrow(&mut self, from: &str, to: &str, kind: ArrowKind) {
        self.arrows.push(Arrow { from: from.to_owned(), to: to.to_owned(), kind });
    }
}

fn called(job: &JobPlan) -> Option<(String, &[JobPlan])> {
    let JobBody::Call(call) = &job.instances.first()?.body else { return None };
    let CalledWorkflow::Jobs { name, jobs, .. } = &call.called else { return None };
    Some((format!("{name} ({})", call.uses), jobs))
}

/// The id, how often it runs, and its name if it says more.
fn label(job: &JobPlan) -> String {
    let mut label = job.id.clone();
    match &job.matrix {
        MatrixPlan::Cells { .. } => label += &format!(" × {}", job.instances.len()),
        MatrixPlan::Deferred(_) => label += " × ?",
        MatrixPlan::None | MatrixPlan::Failed(_) => {
            if let Some(Planned::Known(name)) = job.instances.first().map(|instance| &instance.name) {
                let own = name.rsplit_once(" / ").map_or(name.as_str(), |(_, own)| own);
                if own != job.id {
                    label += &format!(": {own}");
                }
            }
        }
    }
    match Outcome::of(job) {
        Outcome::Runs => label,
        Outcome::Skipped => label + " (skipped)",
        Outcome::Deferred => label + " (decided by the run)",
        Outcome::Fails => label + " (fails)",
    }
}

fn look(job: &JobPlan) -> Look {
    match Outcome::of(job) {
        Outcome::Runs => Look::Runs,
        Outcome::Skipped => Look::Skipped,
        Outcome::Deferred => Look::Deferred,
        Outcome::Fails => Look::Failed,
    }
}
