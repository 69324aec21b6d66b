//! Runs as the XML of `JUnit`, which servers and editors show as test results: jobs are suites, steps are cases.
//!
//! There is no standard; this is what Jenkins and GitLab read (`testsuites`, `testsuite`, `testcase` with `failure`, `error`
//! or `skipped`). A failure holds the end of the log.
//!
//! **Invariant:** well-formed for any text: what XML 1.0 has no character for (section 2.2) becomes U+FFFD.

use std::io::{self, Write};

use longshore_event::{
    Conclusion, JobState, JobStatus, RunId, RunState, StepNumber, StepStage, StepState, StepStatus,
};

use super::duration::between;
use super::excerpt::Excerpt;
use super::step_logs::StepLogs;
use super::words;
use crate::Style;

/// Writes the document. The logs of steps that failed are read.
pub fn write(runs: &[&RunState], logs: &mut dyn StepLogs, out: &mut dyn Write) -> io::Result<()> {
    let mut suites = Vec::new();
    for (run, job) in runs.iter().flat_map(|run| run.jobs.iter().map(move |job| (run, job))) {
        suites.push(Suite::of(run, job, logs)?);
    }
    let name = runs.iter().map(|run| words::workflow(run)).collect::<Vec<_>>().join(", ");
    let time: u64 = runs.iter().filter_map(|run| between(run.started, run.finished)).sum();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let counts = counts(suites.iter().flat_map(|suite| &suite.cases));
    writeln!(out, r#"<testsuites name="{}" {counts} time="{}">"#, text(&name), seconds(Some(time)))?;
    for suite in &suites {
        suite.write(out)?;
    }
    writeln!(out, "</testsuites>")
}

/// A job.
struct Suite {
    name: String,
    time: String,
    timestamp: Option<String>,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

/// A step.
struct Case {
    name: String,
    class: String,
    time: String,
    verdict: Verdict,
}

enum Verdict {
    Passed,
    Failed { message: String, log: String },
    Broken(String),
    Skipped(String),
}

impl Suite {
    fn of(run: &RunState, job: &JobState, logs: &mut dyn StepLogs) -> io::Result<Self> {
        let class = format!("{}.{}", words::workflow(run), job.name);
        let id = run.run.unwrap_or(RunId(0));
        let mut cases = Vec::new();
        for (number, step) in &job.steps {
            let failed = matches!(step.status, StepStatus::Finished(Conclusion::Failure, _));
            if step.stage == StepStage::Main || failed {
                let verdict = verdict((id, job, *number), step, logs)?;
                let time = seconds(between(step.started, step.finished));
                cases.push(Case {
                    name: words::step_name(step).into_owned(),
                    class: class.clone(),
                    time,
                    verdict,
                });
            }
        }
        // What did not come to its steps, or went wrong beside them, is a case too.
        let whole = match (&job.status, &job.error) {
            (JobStatus::Skipped(reason), _) => Some(Verdict::Skipped(reason.clone())),
            (JobStatus::Finished(Conclusion::Skipped), _) => Some(Verdict::Skipped("skipped".to_owned())),
            (JobStatus::Finished(Conclusion::Success), _)
            | (JobStatus::Finished(Conclusion::Failure), None) => None,
            (_, Some(error)) => Some(Verdict::Broken(error.clone())),
            (JobStatus::Finished(Conclusion::Cancelled), None) => {
                Some(Verdict::Skipped("cancelled".to_owned()))
            }
            (JobStatus::Running, None) => Some(Verdict::Broken("interrupted".to_owned())),
            (JobStatus::Pending | JobStatus::Queued(_), None) => {
                Some(Verdict::Skipped("did not run".to_owned()))
            }
        };
        let time = seconds(between(job.started, job.finished));
        cases.extend(whole.map(|verdict| Case {
            name: job.name.clone(),
            class,
            time: time.clone(),
            verdict,
        }));
        let properties =
            vec![("run", id.to_string()), ("job", job.key.to_string()), ("image", job.image.clone())];
        let timestamp = job.started.and_then(words::date);
        Ok(Self { name: job.name.clone(), time, timestamp, properties, cases })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let counts = counts(&self.cases);
        let timestamp = self
            .timestamp
            .as_ref()
            .map_or_else(String::new, |time| format!(r#" timestamp="{}""#, text(time)));
        writeln!(
            out,
            r#"  <testsuite name="{}" {counts} time="{}"{timestamp}>"#,
            text(&self.name),
            self.time
        )?;
        writeln!(out, "    <properties>")?;
        for (name, value) in &self.properties {
            writeln!(out, r#"      <property name="{name}" value="{}"/>"#, text(value))?;
        }
        writeln!(out, "    </properties>")?;
        for case in &self.cases {
            case.write(out)?;
        }
        writeln!(out, "  </testsuite>")
    }
}

impl Case {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (name, class, time) = (text(&self.name), text(&self.class), &self.time);
        write!(out, r#"    <testcase name="{name}" classname="{class}" time="{time}""#)?;
        match &self.verdict {
            Verdict::Passed => return writeln!(out, "/>"),
            Verdict::Failed { message, log } => {
                write!(out, r#"><failure message="{}">{}</failure>"#, text(message), lines(log))?;
            }
            Verdict::Broken(message) => write!(out, r#"><error message="{}"/>"#, text(message))?,
            Verdict::Skipped(message) => write!(out, r#"><skipped message="{}"/>"#, text(message))?,
        }
        writeln!(out, "</testcase>")
    }
}

fn verdict(
    place: (RunId, &JobState, StepNumber),
    step: &StepState,
    logs: &mut dyn StepLogs,
) -> io::Result<Verdict> {
    Ok(match step.status {
        StepStatus::Finished(Conclusion::Failure, Conclusion::Failure) => {
            let (run, job, number) = place;
            let mut excerpt = Excerpt::default();
            logs.read(run, &job.key, number, &mut |line| excerpt.take(&[line.to_owned()]))?;
            let mut log = String::new();
            excerpt.write(
                &format!("longshore logs {run} -j {}", words::shell_word(job.key.as_str())),
                Style::PLAIN,
                &mut log,
            );
            Verdict::Failed { message: words::failure(step).into_owned(), log }
        }
        StepStatus::Finished(Conclusion::Failure, _) => {
            Verdict::Skipped(format!("{}, which does not count", words::failure(step)))
        }
        StepStatus::Finished(Conclusion::Success, _) => Verdict::Passed,
        StepStatus::Finished(Conclusion::Cancelled, _) => Verdict::Skipped("cancelled".to_owned()),
        StepStatus::Finished(Conclusion::Skipped, _) | StepStatus::Pending => {
            Verdict::Skipped("did not run".to_owned())
        }
        StepStatus::Running => Verdict::Broken("interrupted".to_owned()),
    })
}

fn counts<'c>(cases: impl IntoIterator<Item = &'c Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.verdict {
            Verdict::Passed => {}
            Verdict::Failed { .. } => failures += 1,
            Verdict::Broken(_) => errors += 1,
            Verdict::Skipped(_) => skipped += 1,
        }
    }
    format!(r#"tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}""#)
}

fn seconds(milliseconds: Option<u64>) -> String {
    let milliseconds = milliseconds.unwrap_or(0);
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// One line of text for an attribute.
fn text(value: &str) -> String {
    lines(&words::one_line(value))
}

fn lines(value: &str) -> String {
    let mut shown = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\n' => shown.push('\n'),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                shown.push('\u{fffd}');
            }
            letter => shown.push(letter),
        }
    }
    shown
}
