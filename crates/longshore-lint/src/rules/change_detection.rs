//! Finding out what changed, the wrong way round or without the history.

use longshore_syntax::{Diagnostic, Severity};

use crate::script::{Command, Part, Script, Separator};
use crate::{Rule, StepView, Subject};

pub(crate) const INVERTED: Rule = Rule::new(
    "lint/inverted-change-detection",
    Severity::Error,
    "`git diff --quiet` succeeds when nothing changed, and the script takes that for a change",
    check_inverted,
);

pub(crate) const SHALLOW: Rule = Rule::new(
    "lint/shallow-change-detection",
    Severity::Warning,
    "a script compares commits that the checkout did not fetch",
    check_shallow,
);

/// Parts of names that say "something is different".
const CHANGE_WORDS: [&str; 8] = ["chang", "dirty", "modif", "diff", "updat", "rebuild", "deploy", "build"];
/// Parts of names that say the opposite.
const SAME_WORDS: [&str; 8] = ["no_", "no-", "un", "skip", "same", "clean", "not_", "none"];

fn check_inverted(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(script) = &view.script else { continue };
        if !script.text.contains("--quiet") && !script.text.contains("--exit-code") {
            continue;
        }
        script.visit(&mut |script| {
            for (index, command) in script.commands.iter().enumerate() {
                if !is_quiet_diff(command) {
                    continue;
                }
                if let Some(wrong) = contradiction(script, index) {
                    let span = view.locate(subject.file, &command.range);
                    let conclusion = view.locate(subject.file, &wrong.range);
                    found.push(
                        INVERTED
                            .at(span, "this succeeds when nothing changed, but the script goes on as if something had")
                            .related(conclusion, "concluded here")
                            .help("turn it round: `if ! git diff --quiet …; then`, or swap the two branches"),
                    );
                }
            }
        });
    }
}

fn is_quiet_diff(command: &Command<'_>) -> bool {
    let diff = command.has_arg("diff") || command.has_arg("diff-index") || command.has_arg("diff-tree");
    command.program() == "git" && diff && (command.has_arg("--quiet") || command.has_arg("--exit-code"))
}

/// The command that says "changed" where nothing has, or "unchanged" where something has.
fn contradiction<'s, 't>(script: &'s Script<'t>, index: usize) -> Option<&'s Command<'t>> {
    let command = script.commands.get(index)?;
    let negated = command.negated;
    if let Some((block, Part::Condition)) = command.place {
        let alone = command.next == Separator::End
            && !script
                .commands
                .iter()
                .enumerate()
                .any(|(other, it)| other != index && it.place == command.place);
        let is_if = script.blocks.get(block).is_some_and(|it| it.kind == crate::script::BlockKind::If);
        if !alone || !is_if {
            return None;
        }
        return script.commands.iter().find(|it| match it.place {
            Some((owner, Part::Then)) if owner == block => says(it) == Some(!negated),
            Some((owner, Part::Else)) if owner == block => says(it) == Some(negated),
            _ => false,
        });
    }
    let next = script.commands.get(index + 1)?;
    let succeeded = match command.next {
        Separator::And => !negated,
        Separator::Or => negated,
        _ => return None,
    };
    // Nothing changed where the diff succeeded.
    (says(next) == Some(succeeded)).then_some(next)
}

/// Whether a command says that something changed, if it says anything: `changed=true`, `echo "changed=false"`.
fn says(command: &Command<'_>) -> Option<bool> {
    command.words.iter().find_map(|word| {
        let text = word.text.trim_start_matches("::set-output name=");
        let (name, value) = text.split_once("::").or_else(|| text.split_once('='))?;
        let value = match value.trim_matches(['"', '\'']) {
            "true" | "1" | "yes" => true,
            "false" | "0" | "no" => false,
            _ => return None,
        };
        let name = name.to_ascii_lowercase();
        let change = CHANGE_WORDS.iter().any(|word| name.contains(word));
        let same = SAME_WORDS.iter().any(|word| name.contains(word));
        (change && !same).then_some(value)
    })
}

fn check_shallow(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, _) in subject.jobs().iter().enumerate() {
        let mut depth: Option<(u32, &StepView<'_>)> = None;
        for view in subject.steps_of(Some(index)) {
            if view.action().is_some_and(|action| action == "actions/checkout") {
                let written = view.input("fetch-depth");
                match written.map_or(Ok(1), |text| text.trim().parse::<u32>()) {
                    Ok(fetched) if fetched > 0 => depth = Some((fetched, view)),
                    _ => depth = None,
                }
                continue;
            }
            let (Some((fetched, checkout)), Some(script)) = (depth, &view.script) else { continue };
            if fetches(script) {
                depth = None;
                continue;
            }
            if let Some((command, what)) = first_deep(script, fetched) {
                let span = view.locate(subject.file, &command.range);
                let place = checkout.uses().map_or(checkout.step.span, |(uses, _)| uses.span);
                let many = if fetched == 1 {
                    "only the newest commit".to_owned()
                } else {
                    format!("{fetched} commits")
                };
                found.push(
                    SHALLOW
                        .at(span, format!("`{what}` needs history, and the checkout fetched {many}"))
                        .related(place, "checked out here")
                        .help("set `fetch-depth: 0` on the checkout"),
                );
                depth = None;
            }
        }
    }
}

/// Whether a script brings in history itself.
fn fetches(script: &Script<'_>) -> bool {
    let mut found = false;
    script.each(&mut |_, _, command| {
        found |= command.program() == "git"
            && (command.has_arg("fetch") || command.has_arg("clone") || command.has_arg("pull"));
    });
    found
}

/// The first command that needs more than `fetched` commits, with its name. A command whose failure is provided for
/// does not count.
fn first_deep<'s, 't>(script: &'s Script<'t>, fetched: u32) -> Option<(&'s Command<'t>, String)> {
    let mut found = None;
    script.each(&mut |script, index, command| {
        if found.is_some() || command.program() != "git" {
            return;
        }
        let name = command
            .args()
            .iter()
            .map(|word| word.text.as_ref())
            .find(|word| !word.starts_with('-'))
            .unwrap_or("");
        let provided = command.next == Separator::Or && !is_quiet_diff(command)
            || index > 0
                && script.commands.get(index - 1).is_some_and(|previous| previous.next == Separator::Or);
        let deep = match name {
            "merge-base" => true,
            "describe" => !command.has_arg("--always"),
            "diff" | "log" | "rev-list" | "diff-tree" | "diff-index" | "shortlog" => {
                command.args().iter().any(|word| reaches(&word.text) >= u64::from(fetched))
            }
            _ => false,
        };
        if deep && !provided {
            found = Some((command, format!("git {name}")));
        }
    });
    found
}

/// How many commits before the newest a word names; many for other branches and commits from outside.
fn reaches(word: &str) -> u64 {
    const FAR: u64 = u64::MAX;
    if word.contains("origin/")
        || word.contains("github.event.before")
        || word.contains(".base.")
        || word.contains("base_ref")
    {
        return FAR;
    }
    if ["$BEFORE", "${BEFORE", "$BASE", "${BASE", "$GITHUB_BASE_REF", "${GITHUB_BASE_REF"]
        .iter()
        .any(|name| word.contains(name))
    {
        return FAR;
    }
    let Some((_, after)) = word.split_once("HEAD") else {
        return 0;
    };
    let carets = after.chars().take_while(|c| *c == '^').count() as u64;
    let tilde = after.strip_prefix('~').map_or(0, |rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(1)
    });
    carets.max(tilde)
}
