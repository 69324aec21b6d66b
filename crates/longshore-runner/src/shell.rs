//! How the script of a `run` step is written and called.
//!
//! Sans-IO. Follows the `ScriptHandler` of actions/runner on Linux: which program is called for which `shell:`, with which
//! arguments, what is added to the script, and how .NET takes a command line apart. The script itself is written as it
//! stands in the workflow; a CR in it reaches the shell, as it does on GitHub.

/// Why a step's `shell:` cannot be used. The texts are the runner's or .NET's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShellError {
    /// It is neither known nor says where the script's path goes.
    #[error(
        "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a format string \
         containing '{{0}}'"
    )]
    NoPlaceholder,
    /// It has braces that are neither `{0}` nor doubled.
    #[error("Input string was not in a correct format.")]
    Format,
}

/// Where a step runs. It decides on the shell of steps that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellHost {
    /// On the machine that the job asked for: `bash`, or `sh` where that is missing.
    Machine,
    /// In the job's `container:`, whose programs are not looked for: `sh`.
    Container,
}

/// What a shell that is known by name is called with, and how its scripts end.
struct KnownShell {
    name: &'static str,
    arguments: &'static str,
    extension: &'static str,
}

const KNOWN_SHELLS: [KnownShell; 6] = [
    KnownShell { name: "bash", arguments: "--noprofile --norc -e -o pipefail {0}", extension: ".sh" },
    KnownShell { name: "sh", arguments: "-e {0}", extension: ".sh" },
    KnownShell { name: "python", arguments: "{0}", extension: ".py" },
    KnownShell { name: "pwsh", arguments: "-command \". '{0}'\"", extension: ".ps1" },
    KnownShell { name: "powershell", arguments: "-command \". '{0}'\"", extension: ".ps1" },
    KnownShell { name: "cmd", arguments: "/D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"", extension: ".cmd" },
];

fn known(name: &str) -> Option<&'static KnownShell> {
    KNOWN_SHELLS.iter().find(|shell| shell.name.eq_ignore_ascii_case(name))
}

/// The shell of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// The name that decides on the script's extension and what is added to it.
    name: String,
    /// The programs that may be called, the first one that exists.
    programs: Vec<String>,
    /// The arguments, with `{0}` for the script's path.
    format: String,
}

impl Shell {
    /// Reads `shell:`, evaluated; blank if the step and its defaults have none.
    pub fn parse(shell: &str, host: ShellHost) -> Result<Self, ShellError> {
        let (name, arguments) = shell.split_once(' ').unwrap_or((shell, ""));
        let (name, programs): (&str, &[&str]) = match host {
            ShellHost::Machine if shell.is_empty() => ("sh", &["bash", "sh"]),
            ShellHost::Container if shell.is_empty() => ("sh", &["sh"]),
            _ => (name, &[name]),
        };
        let arguments = arguments.trim_start();
        let format =
            if arguments.is_empty() { known(name).map_or("", |shell| shell.arguments) } else { arguments };
        if !format.contains("{0}") {
            return Err(ShellError::NoPlaceholder);
        }
        format_path(format, "")?;
        Ok(Self {
            name: name.to_owned(),
            programs: programs.iter().map(|&program| program.to_owned()).collect(),
            format: format.to_owned(),
        })
    }

    /// The programs that may be called: the first one that is found in `PATH`.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.programs.iter().map(String::as_str)
    }

    /// How the name of the script's file ends.
    pub fn extension(&self) -> &'static str {
        known(&self.name).map_or("", |shell| shell.extension)
    }

    /// The arguments of the program, without its name.
    pub fn arguments(&self, script: &str) -> Result<Vec<String>, ShellError> {
        let line = format_path(&self.format, &script.replace('"', "\\\""))?;
        Ok(split_arguments(&line))
    }

    /// What the script's file holds.
    pub fn script(&self, text: &str) -> String {
        match self.name.as_str() {
            "cmd" => format!("@echo off\n{text}"),
            "pwsh" | "powershell" => format!(
                "$ErrorActionPreference = 'stop'\n{text}\n\
                 if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
            ),
            _ => text.to_owned(),
        }
    }

    /// What the log of the step begins with: the script, the shell and the variables that the workflow set, folded.
    pub fn header<'e>(
        &self,
        script: &str,
        program: &str,
        env: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Vec<String> {
        let first =
            script.trim_start_matches([' ', '\t', '\r', '\n']).split(['\r', '\n']).next().unwrap_or_default();
        let mut lines = vec![format!("##[group]Run {first}")];
        let text = script.replace("\r\n", "\n");
        lines.extend(
            text.trim_end_matches('\n').split('\n').map(|line| format!("\u{1b}[36;1m{line}\u{1b}[0m")),
        );
        lines.push(format!("shell: {program} {}", self.format));
        let mut env = env.into_iter().peekable();
        if env.peek().is_some() {
            lines.push("env:".to_owned());
        }
        for (name, value) in env {
            // A value of several lines goes on without indentation.
            lines.extend(format!("  {name}: {value}").split('\n').map(str::to_owned));
        }
        lines.push("##[endgroup]".to_owned());
        lines
    }
}

/// .NET's `string.Format` with one argument.
fn format_path(format: &str, path: &str) -> Result<String, ShellError> {
    let mut text = String::with_capacity(format.len() + path.len());
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, brace) = rest.split_at(at);
        text.push_str(plain);
        let (replaced, length) = match brace.as_bytes() {
            [b'{', b'{', ..] => ("{", 2),
            [b'}', b'}', ..] => ("}", 2),
            [b'{', b'0', b'}', ..] => (path, 3),
            _ => return Err(ShellError::Format),
        };
        text.push_str(replaced);
        rest = brace.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(text)
}

/// The arguments of a command line, as .NET takes it apart on every system: blanks separate, double quotes hold together,
/// a backslash means itself unless it stands before a double quote, and two quotes within quotes are one.
fn split_arguments(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        let (argument, after) = next_argument(rest);
        arguments.push(argument);
        rest = after.trim_start_matches([' ', '\t']);
    }
    arguments
}

fn next_argument(line: &str) -> (String, &str) {
    let mut argument = String::new();
    let mut quoted = false;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '\\' => {
                let body = rest.trim_start_matches('\\');
                let count = rest.len() - body.len();
                rest = body;
                let before_quote = body.starts_with('"');
                let shown = if before_quote { count / 2 } else { count };
                argument.extend(std::iter::repeat_n('\\', shown));
                if before_quote && count % 2 == 1 {
                    argument.push('"');
                    rest = body.get(1..).unwrap_or_default();
                }
                continue;
            }
            '"' if quoted && after.starts_with('"') => {
                argument.push('"');
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => break,
            other => argument.push(other),
        }
        rest = after;
    }
    (argument, rest)
}

#[cfg(test)]
mod tests {
    use super::{Shell, ShellError, ShellHost, split_arguments};

    /// The programs and arguments for the script `/t/s`, and how its name ends.
    fn called(shell: &str, host: ShellHost) -> String {
        match Shell::parse(shell, host) {
            Err(error) => format!("{error:?}"),
            Ok(shell) => {
                let programs: Vec<&str> = shell.programs().collect();
                format!("{} {:?} {}", programs.join("|"), shell.arguments("/t/s").unwrap(), shell.extension())
            }
        }
    }

    #[test]
    fn shells_are_called_as_github_calls_them() {
        for (shell, expected) in [
            ("", r#"bash|sh ["-e", "/t/s"] .sh"#),
            ("bash", r#"bash ["--noprofile", "--norc", "-e", "-o", "pipefail", "/t/s"] .sh"#),
            ("bash ", r#"bash ["--noprofile", "--norc", "-e", "-o", "pipefail", "/t/s"] .sh"#),
            ("BASH", r#"BASH ["--noprofile", "--norc", "-e", "-o", "pipefail", "/t/s"] .sh"#),
            ("bash -eux {0}", r#"bash ["-eux", "/t/s"] .sh"#),
            ("sh", r#"sh ["-e", "/t/s"] .sh"#),
            ("python", r#"python ["/t/s"] .py"#),
            ("pwsh", r#"pwsh ["-command", ". '/t/s'"] .ps1"#),
            ("powershell", r#"powershell ["-command", ". '/t/s'"] .ps1"#),
            ("cmd", r#"cmd ["/D", "/E:ON", "/V:OFF", "/S", "/C", "CALL /t/s"] .cmd"#),
            ("perl {0}", r#"perl ["/t/s"] "#),
            ("node   --trace '{0}' \"a b\"", r#"node ["--trace", "'/t/s'", "a b"] "#),
            ("env A={{}} bash {0}{0}", r#"env ["A={}", "bash", "/t/s/t/s"] "#),
            ("/bin/bash {0}", r#"/bin/bash ["/t/s"] "#),
            ("perl", "NoPlaceholder"),
            ("bash -e", "NoPlaceholder"),
            (" bash", "NoPlaceholder"),
            ("awk {print} {0}", "Format"),
            ("x {0} }", "Format"),
            ("x {1} {0}", "Format"),
        ] {
            assert_eq!(called(shell, ShellHost::Machine), expected, "{shell}");
        }
        assert_eq!(called("", ShellHost::Container), r#"sh ["-e", "/t/s"] .sh"#);
        assert!(ShellError::NoPlaceholder.to_string().ends_with("a format string containing '{0}'"));
    }

    #[test]
    fn paths_with_blanks_and_quotes_need_quotes_of_the_shell() {
        let shell = Shell::parse("x \"{0}\"", ShellHost::Machine).unwrap();
        assert_eq!(shell.arguments("/a b/\"c\"").unwrap(), ["/a b/\"c\""]);
        let shell = Shell::parse("x {0}", ShellHost::Machine).unwrap();
        assert_eq!(shell.arguments("/a b").unwrap(), ["/a", "b"]);
    }

    #[test]
    fn command_lines_are_taken_apart_as_by_dot_net() {
        for (line, expected) in [
            ("", vec![]),
            (" \t ", vec![]),
            (" a\tb  c ", vec!["a", "b", "c"]),
            (r#""a b" c"d e"f"#, vec!["a b", "cd ef"]),
            (r"a\b \\c\ d", vec![r"a\b", r"\\c\", "d"]),
            (r#"\"a \\"b c" \\\"d"#, vec!["\"a", r"\b c", "\\\"d"]),
            (r#""a""b" """#, vec!["a\"b", ""]),
            (r"'a b'", vec!["'a", "b'"]),
            (r#""open end"#, vec!["open end"]),
        ] {
            assert_eq!(split_arguments(line), expected, "{line}");
        }
    }

    #[test]
    fn scripts_are_changed_for_the_shells_of_windows_only() {
        let script = |shell: &str| Shell::parse(shell, ShellHost::Machine).unwrap().script("a\r\nb");
        assert_eq!(script(""), "a\r\nb");
        assert_eq!(script("bash"), "a\r\nb");
        assert_eq!(script("python"), "a\r\nb");
        assert_eq!(script("cmd"), "@echo off\na\r\nb");
        for shell in ["pwsh", "powershell -File {0}"] {
            assert_eq!(
                script(shell),
                "$ErrorActionPreference = 'stop'\na\r\nb\n\
                 if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }"
            );
        }
    }

    #[test]
    fn logs_begin_with_what_is_run() {
        let shell = Shell::parse("bash", ShellHost::Machine).unwrap();
        let lines = shell.header("\n  echo a\r\necho b\n\n", "/usr/bin/bash", [("A", "1\n2")]);
        assert_eq!(
            lines,
            [
                "##[group]Run echo a",
                "\u{1b}[36;1m\u{1b}[0m",
                "\u{1b}[36;1m  echo a\u{1b}[0m",
                "\u{1b}[36;1mecho b\u{1b}[0m",
                "shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}",
                "env:",
                "  A: 1",
                "2",
                "##[endgroup]",
            ]
        );
        assert_eq!(shell.header("", "sh", []).len(), 4);
    }
}
