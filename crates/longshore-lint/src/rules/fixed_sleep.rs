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
    let pauses: Vec<usize> = (0..script.commands.len()).filter(|index| is_pause(script, *index)).collect();
    if pauses.is_empty() {
        return;
    }
    let alone = script.commands.iter().all(|command| matches!(command.program(), "sleep" | "echo" | ""));
    let used = used_after(script);
    let mut started = None;
    for (index, command) in script.commands.iter().enumerate() {
        if starts(command) {
            started = Some(command);
        }
        let waits = started.is_some() || alone || used.get(index).copied().unwrap_or(false);
        if !waits || pauses.binary_search(&index).is_err() {
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

/// Whether a command waits for a fixed time and for nothing else. A pause in a loop is a part of asking again and again,
/// one behind `||` answers a failure.
fn is_pause(script: &Script<'_>, index: usize) -> bool {
    let Some(command) = script.commands.get(index).filter(|command| command.program() == "sleep") else {
        return false;
    };
    let answers =
        index > 0 && script.commands.get(index - 1).is_some_and(|previous| previous.next == Separator::Or);
    command.args().first().is_some_and(|word| is_long(&word.text))
        && !answers
        && command.next != Separator::Background
        && !script.is_within(command.place, BlockKind::Loop)
}

/// For each command, whether something behind it uses what should be ready. What is used after something else has
/// started did not wait for this.
fn used_after(script: &Script<'_>) -> Vec<bool> {
    let mut used = vec![false; script.commands.len()];
    let mut behind = false;
    for (index, command) in script.commands.iter().enumerate().rev() {
        if let Some(slot) = used.get_mut(index) {
            *slot = behind;
        }
        let asks = CLIENTS.contains(&command.program()) || checker_at(script, index).is_some();
        behind = !starts(command) && (behind || asks);
    }
    used
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
