//! What the steps of a run found, each once, errors first.

use std::collections::{BTreeSet, HashMap};

use longshore_event::{Annotation, AnnotationLevel, JobKey, RunState, StepNumber};

use super::super::words::{self, one_line};
use crate::{Role, Style, count};

/// So many are printed.
const MOST: usize = 10;
/// Longer messages are cut.
const LONGEST: usize = 400;

/// One finding and how often it was reported.
struct Finding<'s> {
    annotation: &'s Annotation,
    job: &'s JobKey,
    step: Option<StepNumber>,
    times: usize,
    /// The jobs that a finding of a job as a whole is about.
    jobs: BTreeSet<&'s JobKey>,
}

/// Writes the findings of a run after an empty line, if there are any.
pub(super) fn write(state: &RunState, style: Style, out: &mut String) {
    let findings = findings(state);
    if findings.is_empty() {
        return;
    }
    out.push('\n');
    for finding in findings.iter().take(MOST) {
        write_one(state, finding, style, out);
    }
    let rest = &findings[findings.len().min(MOST)..];
    if !rest.is_empty() {
        let of = |level| rest.iter().filter(|finding| finding.annotation.level == level).count();
        let levels = [AnnotationLevel::Error, AnnotationLevel::Warning, AnnotationLevel::Notice];
        let words = levels.map(|level| (of(level), level)).into_iter().filter(|(number, _)| *number > 0);
        let words: Vec<String> = words.map(|(number, level)| count(number, level.as_str())).collect();
        let logs = state.run.map_or_else(String::new, |run| format!(": longshore logs {run}"));
        out.push_str(&format!("and {} more{logs}\n", words.join(", ")));
    }
}

fn findings(state: &RunState) -> Vec<Finding<'_>> {
    let mut findings: Vec<Finding<'_>> = Vec::new();
    let mut known = HashMap::new();
    for (job, step, annotation) in &state.annotations {
        let Annotation { level, message, title, file, line, .. } = annotation;
        // What the jobs of a matrix all find in one line of a file is one finding, and what is said of several jobs as a whole;
        // without a file it belongs to its step.
        let origin = (file.is_none() && step.is_some()).then_some((job, step));
        let at = *known.entry((*level, message, title, file, line, origin)).or_insert_with(|| {
            findings.push(Finding { annotation, job, step: *step, times: 0, jobs: BTreeSet::new() });
            findings.len() - 1
        });
        findings[at].times += 1;
        findings[at].jobs.extend(step.is_none().then_some(job));
    }
    // The order within a level is that of the reports.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.annotation.level));
    findings
}

fn write_one(state: &RunState, finding: &Finding<'_>, style: Style, out: &mut String) {
    let annotation = finding.annotation;
    let level = style.paint(words::level_role(annotation.level), annotation.level.as_str());
    let place = words::place(annotation)
        .map_or_else(String::new, |place| format!("{}: ", style.paint(Role::Strong, &place)));
    let title = annotation.title.as_deref().filter(|title| !title.is_empty());
    let title = title.map_or_else(String::new, |title| format!("{}: ", one_line(title)));
    let message = one_line(&annotation.message);
    let message = match message.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &message[..at]),
        None => message.into_owned(),
    };
    let mut origin = words::job_name(state, finding.job).into_owned();
    let step = finding.step.and_then(|number| state.job(finding.job)?.steps.get(&number));
    if let Some(step) = step {
        origin.push_str(&format!(" › {}", words::step_name(step)));
    }
    if finding.jobs.len() > 1 {
        origin.push_str(&format!(" and {}", count(finding.jobs.len() - 1, "other job")));
    } else if finding.times > 1 {
        origin.push_str(&format!(", {} times", finding.times));
    }
    let origin = style.paint(Role::Faint, &format!("({origin})"));
    out.push_str(&format!("{level}: {place}{title}{message} {origin}\n"));
}
