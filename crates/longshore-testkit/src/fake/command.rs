//! The commands that every container of the fake has: the programs of the conformance suite, and the few that keep
//! containers alive or do nothing. Everything else is answered for by tests.

use crate::conformance::program;

use super::answer::Answer;
use super::invocation::Invocation;
use super::signal::TERM;

/// How much is written at once.
const CHUNK: usize = 32 * 1024;

/// What a command does that no test answers for.
pub(super) fn answer(invocation: &Invocation) -> Answer {
    let known = program::parse(&invocation.command).and_then(|(name, arguments)| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        suite(invocation, name, &arguments)
    });
    known.or_else(|| plain(invocation)).unwrap_or_else(Answer::command_not_found)
}

/// The programs of the suite, see [`program`].
fn suite(invocation: &Invocation, name: &str, arguments: &[&str]) -> Option<Answer> {
    let answer = match (name, arguments) {
        ("print", [output, error, code]) => {
            Answer::new().stdout(output).stderr(error).exit(code.parse().ok()?)
        }
        ("serve", []) => Answer::new().on_signal(TERM, Answer::new()).stdout("ready\n").forever(),
        ("stubborn", []) => Answer::new().ignore(TERM).stdout("ready\n").forever(),
        ("copy", []) => Answer::new().copy_input(),
        ("show", [variable]) => match invocation.env.get(*variable) {
            Some(value) => Answer::new().stdout(format!("{value}\n")),
            None => Answer::new().exit(1),
        },
        ("flood", [bytes]) => flood(bytes.parse().ok()?),
        ("count", [lines]) => {
            let lines: u32 = lines.parse().ok()?;
            (1..=lines).fold(Answer::new(), |answer, number| answer.stdout(format!("line {number}\n")))
        }
        ("gate", [path, code]) => {
            let path = invocation.absolute(path);
            Answer::new().stdout("ready\n").await_file(path).stdout("open\n").exit(code.parse().ok()?)
        }
        ("exists", [path]) => Answer::new().exit(i32::from(!invocation.exists(path))),
        ("read", [path]) => read(invocation, &[path]),
        ("where", []) => Answer::new().stdout(format!("{}\n", invocation.working_directory)),
        _ => return None,
    };
    Some(answer)
}

fn flood(mut left: usize) -> Answer {
    let mut answer = Answer::new();
    while left > 0 {
        let length = left.min(CHUNK);
        answer = answer.stdout(vec![b'x'; length]).stderr(vec![b'y'; length]);
        left -= length;
    }
    answer
}

/// Commands by the name of their program.
fn plain(invocation: &Invocation) -> Option<Answer> {
    let first = invocation.command.first()?;
    // A path is taken at its word, unless it is one where such programs are.
    if first.contains('/') && !["/bin/", "/usr/bin/"].iter().any(|place| first.starts_with(place)) {
        return None;
    }
    let arguments: Vec<&str> = invocation.command.iter().skip(1).map(String::as_str).collect();
    match (invocation.program(), arguments.as_slice()) {
        ("true", _) => Some(Answer::new()),
        ("false", _) => Some(Answer::new().exit(1)),
        ("echo", words) => Some(Answer::new().stdout(format!("{}\n", words.join(" ")))),
        ("cat", []) => Some(Answer::new().copy_input()),
        ("cat", paths) => Some(read(invocation, paths)),
        ("sleep", [_, ..]) | ("tail", ["-f", "/dev/null"]) => Some(Answer::new().forever()),
        _ => None,
    }
}

fn read(invocation: &Invocation, paths: &[&str]) -> Answer {
    let mut answer = Answer::new();
    let mut code = 0;
    for path in paths {
        answer = if let Some(content) = invocation.read(path) {
            answer.stdout(content)
        } else {
            code = 1;
            answer.stderr(format!("cat: can't open '{path}': No such file or directory\n"))
        };
    }
    answer.exit(code)
}
