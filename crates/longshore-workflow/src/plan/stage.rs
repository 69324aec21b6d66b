//! Jobs in the order in which they can start.

use std::collections::HashMap;

use crate::model::Workflow;

/// The ids of a workflow's jobs by stage: a job is in the first stage after all it needs, ids are in file order.
///
/// A need that does not exist counts for nothing. Jobs that need each other have no order and are in no stage.
pub fn stages(workflow: &Workflow) -> Vec<Vec<&str>> {
    let jobs: Vec<(&str, Vec<&str>)> = workflow
        .jobs
        .iter()
        .map(|job| (job.id.value.as_str(), job.needs.iter().map(|need| need.value.as_str()).collect()))
        .collect();
    order(&jobs)
}

/// The same for jobs given with the ids they need.
pub(super) fn order<'a>(jobs: &[(&'a str, Vec<&'a str>)]) -> Vec<Vec<&'a str>> {
    let index: HashMap<String, usize> =
        jobs.iter().enumerate().map(|(at, (id, _))| (id.to_ascii_lowercase(), at)).collect();
    let mut waiting = vec![0_usize; jobs.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    for (at, (_, needs)) in jobs.iter().enumerate() {
        for need in needs {
            if let Some(&need) = index.get(&need.to_ascii_lowercase())
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
        stages.push(ready.iter().filter_map(|at| jobs.get(*at).map(|(id, _)| *id)).collect());
        let mut next = Vec::new();
        for dependent in ready.iter().filter_map(|at| dependents.get(*at)).flatten() {
            if let Some(count) = waiting.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    next.push(*dependent);
                }
            }
        }
        ready = next;
    }
    stages
}
