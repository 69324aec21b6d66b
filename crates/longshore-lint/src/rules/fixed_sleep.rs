//! Waiting for a fixed time where readiness is meant.

use longshore_syntax::{Diagnostic, Severity};

use super::check_command::checker_at;
use crate::script::{BlockKind, Command, Script, Separator};
use crate::{Rule, StepView, Subject};

pub(crate) const RULE: Rule = Rule::new(
    "lint/fixed-sleep",
    Severity::Warning,
    "a script waits for a fixed time for something to be ready",
    check,
);

/// Seconds from which a pause is a wait.
const SHORTEST: f64 = 2.0;

/// Programs that talk to what should be ready by now.
const CLIENTS: [&str; 18] = [
    "curl",
    "wget",
    "nc",
    "ncat",
    "psql",
    "mysql",
    "redis-cli",
    "pg_isready",
    "http",
    "grpcurl",
    "newman",
    "k6",
    "ab",
    "telnet",
    "mongosh",
    "cypress",
    "playwright",
    "websocat",
];

fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(script) = &view.script else { continue };
        script.visit(&mut |script| check_script(subject, view, script, found));
    }
}

fn check_script(
    subject: &Subject<'_>,
    view: &StepView<'_>,
    script: &Script<'_>,
    found: &mut Vec<Diagnostic>,
) {
    for (index, command) in script.commands.iter().enumerate() {
        if command.program() != "sleep" || !command.args().first().is_some_and(|word| is_long(&word.text)) {
            continue;
        }
        // A pause in a loop is a part of asking again and again; one behind `||` or `&&` answers something.
        let answers = index > 0
            && script.commands.get(index - 1).is_some_and(|previous| previous.next == Separator::Or);
        if script.is_within(command.place, BlockKind::Loop)
            || answers
            || command.next == Separator::Background
        {
            continue;
        }
        let started = script.commands.iter().take(index).rev().find(|command| starts(command));
        // What is used after something else has started did not wait for this.
        let mut later = (index + 1..script.commands.len())
            .take_while(|at| script.commands.get(*at).is_some_and(|command| !starts(command)));
        let used = later.any(|at| {
            script.commands.get(at).is_some_and(|command| CLIENTS.contains(&command.program()))
                || checker_at(script, at).is_some()
        });
        let alone = script.commands.iter().all(|command| matches!(command.program(), "sleep" | "echo" | ""));
        if started.is_none() && !used && !alone {
            continue;
        }
        let time = command.args().first().map_or("", |word| word.text.as_ref());
        let message = format!("this waits {} whether or not it is ready", spell(time));
        let mut diagnostic = RULE.at(view.locate(subject.file, &command.range), message).help(
            "ask until it answers: `timeout 60 sh -c 'until curl -fsS URL; do sleep 1; done'`, or `docker compose up --wait`",
        );
        if let Some(started) = started {
            diagnostic =
                diagnostic.related(view.locate(subject.file, &started.range), "for what starts here");
        }
        found.push(diagnostic);
    }
}

fn is_long(time: &str) -> bool {
    let number = time.strip_suffix('s').unwrap_or(time);
    match number.parse::<f64>() {
        Ok(seconds) => seconds >= SHORTEST,
        Err(_) => time.strip_suffix(['m', 'h']).is_some_and(|number| number.parse::<f64>().is_ok()),
    }
}

/// `2m` as `2 minutes`.
fn spell(time: &str) -> String {
    let units = [("s", "seconds"), ("m", "minutes"), ("h", "hours")];
    let unit = units.iter().find_map(|(unit, name)| Some((time.strip_suffix(unit)?, *name)));
    let (number, name) = unit.unwrap_or((time, "seconds"));
    format!("{number} {name}")
}

/// Whether a command starts something that goes on.
fn starts(command: &Command<'_>) -> bool {
    let has = |text: &str| command.has_arg(text);
    let detached = has("-d") || has("--detach");
    command.next == Separator::Background
        || match command.program() {
            "docker" => (has("run") || has("up")) && detached || has("start") || has("restart"),
            "docker-compose" => has("up") && detached || has("start") || has("restart"),
            "podman" => has("run") && detached || has("start"),
            "systemctl" | "service" => has("start") || has("restart"),
            "kubectl" => has("apply") || has("create") || has("scale"),
            "helm" => has("install") || has("upgrade"),
            "nohup" | "pm2" => true,
            _ => false,
        }
}
