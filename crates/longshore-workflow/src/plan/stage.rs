//! Jobs in the order in which they can start.

use std::collections::HashMap;

use crate::model::{Job, Workflow};

/// The ids of a workflow's jobs by stage: a job is in the first stage after all it needs, ids are in file order.
///
/// A need that does not exist counts for nothing. Jobs that need each other have no order and are in no stage.
pub fn stages(workflow: &Workflow) -> Vec<Vec<&str>> {
    let jobs: Vec<&Job> = workflow.jobs.iter().collect();
    let ids = |stage: Vec<usize>| {
        stage.into_iter().filter_map(|at| Some(jobs.get(at)?.id.value.as_str())).collect()
    };
    order(&jobs).into_iter().map(ids).collect()
}

/// The same for some jobs, as their indices.
pub(super) fn order(jobs: &[&Job]) -> Vec<Vec<usize>> {
    let index: HashMap<String, usize> =
        jobs.iter().enumerate().map(|(at, job)| (job.id.value.to_ascii_lowercase(), at)).collect();
    let mut waiting = vec![0_usize; jobs.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    for (at, job) in jobs.iter().enumerate() {
        for need in &job.needs {
            if let Some(&need) = index.get(&need.value.to_ascii_lowercase())
                && let (Some(count), Some(list)) = (waiting.get_mut(at), dependents.get_mut(need))
            {
                *count += 1;
                list.push(at);
            }
        }
    }
    let mut ready: Vec<usize> = (0..jobs.len()).filter(|at| waiting.get(*at) == Some(&0)).collect();
    let mut stages = Vec::new();
    while !ready.is_empty() {
        ready.sort_unstable();
        let mut next = Vec::new();
        for dependent in ready.iter().filter_map(|at| dependents.get(*at)).flatten() {
            if let Some(count) = waiting.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    next.push(*dependent);
                }
            }
        }
        stages.push(std::mem::replace(&mut ready, next));
    }
    stages
}
