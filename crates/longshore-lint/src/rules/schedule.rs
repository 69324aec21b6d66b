//! Schedules that GitHub cannot keep.

use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::cron::{CivilMinute, Cron, SHORTEST_INTERVAL};

use crate::{Rule, Subject};

pub(crate) const FREQUENT: Rule = Rule::new(
    "lint/frequent-schedule",
    Severity::Warning,
    "a schedule is closer than the five minutes that GitHub allows",
    check_frequent,
);

pub(crate) const NEVER: Rule = Rule::new(
    "lint/never-scheduled",
    Severity::Warning,
    "a schedule names a date that never comes",
    check_never,
);

fn schedules<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (longshore_syntax::Span, Cron)> + 's {
    let triggers = subject.workflow().into_iter().flat_map(|workflow| &workflow.triggers);
    triggers
        .flat_map(|trigger| &trigger.schedules)
        .filter_map(|schedule| Some((schedule.cron.span, Cron::parse(&schedule.cron.value).ok()?)))
}

fn check_frequent(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (span, cron) in schedules(subject) {
        let minutes = cron.shortest_interval().as_secs() / 60;
        if cron.shortest_interval() < SHORTEST_INTERVAL {
            let message =
                format!("this asks for a run every {minutes} minutes; GitHub starts one every 5 at most")
                    .replace("every 1 minutes", "every minute");
            found.push(FREQUENT.at(span, message).help("write `*/5` for the minutes"));
        }
    }
}

fn check_never(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(start) = CivilMinute::new(2026, 1, 1, 0, 0) else { return };
    for (span, cron) in schedules(subject) {
        if cron.next_after(start).is_none() {
            found.push(NEVER.at(span, "this never starts: no month that it names has such a day"));
        }
    }
}
