//! Pipes that hide failures, or run what they fetch. Off unless asked for.

use longshore_syntax::{Diagnostic, Severity};

use crate::script::Separator;
use crate::{Rule, Shell, Subject};

pub(crate) const TO_SHELL: Rule = Rule::new(
    "lint/pipe-to-shell",
    Severity::Note,
    "a script from the network is run without a look at it",
    check_to_shell,
)
.off();

pub(crate) const UNCHECKED: Rule = Rule::new(
    "lint/unchecked-pipe",
    Severity::Note,
    "the failure of a command in a pipe is lost",
    check_unchecked,
)
.off();

fn check_to_shell(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(script) = &view.script else { continue };
        script.each(&mut |script, index, command| {
            let fetches = matches!(command.program(), "curl" | "wget") && command.next == Separator::Pipe;
            let Some(next) = script.commands.get(index + 1).filter(|_| fetches) else { return };
            let shell = next
                .words
                .iter()
                .any(|word| matches!(word.text.as_ref(), "sh" | "bash" | "zsh" | "python" | "python3"));
            if shell {
                let span = view.locate(subject.file, &(command.range.start..next.range.end));
                found.push(
                    TO_SHELL
                        .at(span, "what this fetches is run, whatever it is today")
                        .help("fetch it into a file, compare its checksum, then run it"),
                );
            }
        });
    }
}

fn check_unchecked(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for view in &subject.steps {
        let Some(script) = &view.script else { continue };
        if view.shell == (Shell::Bash { pipefail: true }) || script.text.contains("pipefail") {
            continue;
        }
        for (index, command) in script.commands.iter().enumerate() {
            let harmless = matches!(command.program(), "echo" | "printf" | "cat" | "yes");
            if command.next == Separator::Pipe && !harmless && !script.is_asked(index) {
                let span = view.locate(subject.file, &command.range);
                found.push(
                    UNCHECKED
                        .at(span, "if this fails, the step goes on: only the last command of a pipe counts")
                        .help("say `shell: bash`, which sets `pipefail`"),
                );
            }
        }
    }
}
