//! Programs that run on a kernel and in a fake alike.
//!
//! Each is a shell script with a name. The name is the script's `$0`, so that a fake, which cannot run scripts, knows
//! what is meant: [`parse`] takes a command apart again.

/// The name and the script of every program.
const SCRIPTS: [(&str, &str); 11] = [
    ("print", r#"printf %s "$1"; printf %s "$2" >&2; exit "$3""#),
    ("serve", "trap 'exit 0' TERM; echo ready; while :; do sleep 1 & wait $!; done"),
    ("stubborn", "trap '' TERM; echo ready; while :; do sleep 1; done"),
    ("copy", "exec cat"),
    ("show", r#"value=$(env | grep "^$1=") || exit 1; echo "${value#*=}""#),
    ("flood", r#"head -c "$1" /dev/zero | tr '\0' x; head -c "$1" /dev/zero | tr '\0' y >&2"#),
    ("count", r#"i=1; while [ $i -le "$1" ]; do echo "line $i"; i=$((i+1)); done"#),
    ("gate", r#"echo ready; until [ -e "$1" ]; do sleep 0.02; done; echo open; exit "$2""#),
    ("exists", r#"[ -e "$1" ]"#),
    ("read", r#"cat "$1""#),
    ("where", "pwd"),
];

fn command(name: &str, arguments: &[&str]) -> Vec<String> {
    let script = SCRIPTS.iter().find(|(known, _)| *known == name).map_or("exit 99", |(_, script)| script);
    let head = ["/bin/sh", "-c", script, name];
    head.iter().chain(arguments).map(|word| (*word).to_owned()).collect()
}

/// The name and the arguments of a program, if a command is one.
pub fn parse(command: &[String]) -> Option<(&str, &[String])> {
    let [shell, flag, script, name, arguments @ ..] = command else { return None };
    let known = SCRIPTS.iter().any(|(known, text)| known == name && text == script);
    (known && shell == "/bin/sh" && flag == "-c").then_some((name, arguments))
}

/// Any script; needs a kernel.
pub fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].iter().map(|word| (*word).to_owned()).collect()
}

/// Writes two texts and ends.
pub fn print(output: &str, error: &str, code: i32) -> Vec<String> {
    command("print", &[output, error, &code.to_string()])
}

/// Ends with a code.
pub fn exit(code: i32) -> Vec<String> {
    print("", "", code)
}

/// Says `ready`, runs until it is asked to end, and ends with 0.
pub fn serve() -> Vec<String> {
    command("serve", &[])
}

/// Says `ready`, and runs until it is killed.
pub fn stubborn() -> Vec<String> {
    command("stubborn", &[])
}

/// Copies its input to its output.
pub fn copy() -> Vec<String> {
    command("copy", &[])
}

/// Writes the value of a variable, or ends with 1.
pub fn show(variable: &str) -> Vec<String> {
    command("show", &[variable])
}

/// Writes so many bytes to each output.
pub fn flood(bytes: usize) -> Vec<String> {
    command("flood", &[&bytes.to_string()])
}

/// Writes so many lines: `line 1` and so on.
pub fn count(lines: usize) -> Vec<String> {
    command("count", &[&lines.to_string()])
}

/// Says `ready`, waits for a file, says `open`, and ends with a code.
pub fn gate(path: &str, code: i32) -> Vec<String> {
    command("gate", &[path, &code.to_string()])
}

/// Ends with 0 if there is a file, else with 1.
pub fn exists(path: &str) -> Vec<String> {
    command("exists", &[path])
}

/// Writes the content of a file.
pub fn read(path: &str) -> Vec<String> {
    command("read", &[path])
}

/// Writes the working directory.
pub fn current_directory() -> Vec<String> {
    command("where", &[])
}

#[cfg(test)]
mod tests {
    use super::{exit, gate, parse, shell};

    #[test]
    fn programs_are_known_by_their_commands() {
        let command = gate("/a", 3);
        assert_eq!(parse(&command), Some(("gate", &["/a".to_owned(), "3".to_owned()][..])));
        assert_eq!(parse(&exit(2)).map(|(name, _)| name), Some("print"));
        assert_eq!(parse(&shell("pwd")), None);
        assert_eq!(parse(&[]), None);
    }
}
