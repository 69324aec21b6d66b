//! Output as steps print it, and what comes of it.

use std::sync::Arc;

use longshore_event::{Annotation, AnnotationLevel, Masker};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Effect, LINE_LIMIT, Matchers, OutputReader, StepFiles, StepOutput, StepOutputOptions};

const MATCHER: &str = r#"{"problemMatcher":[{"owner":"gcc","pattern":[{
    "regexp":"^(.*):(\\d+):(\\d+): (warning|error): (.*)$","file":1,"line":2,"column":3,"severity":4,"message":5}]}]}"#;

/// One file of matchers, and a repository at `/w` in which only `src` has files.
struct Files;

impl StepFiles for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "/w/gcc.json" => Ok(MATCHER.as_bytes().to_vec()),
            "/w/ahead.json" => {
                Ok(br#"{"problemMatcher":[{"owner":"o","pattern":[{"regexp":"(?=x)","message":0}]}]}"#
                    .to_vec())
            }
            _ => Err(format!("Could not find file '{path}'.")),
        }
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        path.strip_prefix("/w/").filter(|file| file.starts_with("src/")).map(str::to_owned)
    }
}

fn output_with(change: impl FnOnce(&mut StepOutputOptions)) -> Arc<StepOutput> {
    let mut options = StepOutputOptions { workspace: "/w".to_owned(), ..StepOutputOptions::default() };
    change(&mut options);
    Arc::new(StepOutput::new(options, Arc::default(), Arc::new(Matchers::default()), Arc::new(Files)))
}

fn output() -> Arc<StepOutput> {
    output_with(|_| {})
}

fn read_all(output: Arc<StepOutput>, text: &str) -> Vec<Effect> {
    let mut reader = OutputReader::new(output);
    let mut effects = reader.read(text.as_bytes());
    effects.extend(reader.flush());
    merged(effects)
}

/// Effects with lines that follow each other as one.
fn merged(effects: Vec<Effect>) -> Vec<Effect> {
    let mut merged: Vec<Effect> = Vec::new();
    for effect in effects {
        match (merged.last_mut(), effect) {
            (Some(Effect::Lines(lines)), Effect::Lines(more)) => lines.extend(more),
            (_, effect) => merged.push(effect),
        }
    }
    merged
}

fn lines(effects: &[Effect]) -> Vec<&str> {
    let lines = effects
        .iter()
        .filter_map(|effect| if let Effect::Lines(lines) = effect { Some(lines) } else { None });
    lines.flatten().map(String::as_str).collect()
}

fn annotations(effects: &[Effect]) -> Vec<&Annotation> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Annotation(found) = effect { Some(found) } else { None })
        .collect()
}

fn failures(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Failure(text) = effect { Some(text.as_str()) } else { None })
        .collect()
}

fn shown(lines: &[&str]) -> Effect {
    Effect::Lines(lines.iter().map(|&line| line.to_owned()).collect())
}

#[test]
fn effects_come_in_the_order_of_lines() {
    let text = "one\n::group::Build\n::error file=/w/a.c,line=3,title=T::broken%0Abadly\n##[endgroup]\n::unknown::x\ntwo";
    let effects = read_all(output(), text);
    let mut annotation = Annotation::new(AnnotationLevel::Error, "broken\nbadly");
    annotation.file = Some("a.c".to_owned());
    annotation.line = Some(3);
    annotation.title = Some("T".to_owned());
    assert_eq!(
        effects,
        [
            shown(&["one", "##[group]Build", "##[error]broken", "badly"]),
            Effect::Annotation(annotation),
            shown(&["##[endgroup]", "::unknown::x", "two"]),
        ]
    );
}

#[test]
fn secrets_are_masked_from_the_line_after() {
    let text = "hunter2\n::add-mask::hunter2\nx hunter2 y\n::notice file=hunter2::hunter2\n::add-mask:: \n";
    let effects = read_all(output(), text);
    assert_eq!(lines(&effects)[..3], ["hunter2", "x *** y", "##[notice]***"]);
    assert_eq!(effects[1], Effect::AddMask);
    let found = annotations(&effects);
    assert_eq!((found[0].message.as_str(), found[0].file.as_deref()), ("***", Some("***")));
    assert_eq!(found[1].message, "Can't add secret mask for empty string in ##[add-mask] command.");
    let effects = read_all(output(), "::add-mask::first%0Aab%0Athird\nab third\n");
    assert_eq!(lines(&effects), ["*** ***"]);
}

#[test]
fn outputs_and_state_are_taken_with_one_warning_each() {
    let text = "::set-output name=a::1%0A2\n::set-output name=b::\n::save-state name=s::3\n::set-output::x\n";
    let effects = read_all(output(), text);
    let output =
        |name: &str, value: &str| Effect::SetOutput { name: name.to_owned(), value: value.to_owned() };
    assert!(effects.contains(&output("a", "1\n2")) && effects.contains(&output("b", "")));
    assert!(effects.contains(&Effect::SaveState { name: "s".to_owned(), value: "3".to_owned() }));
    let warnings = annotations(&effects).into_iter().filter(|found| found.level == AnnotationLevel::Warning);
    let warnings: Vec<&str> = warnings.map(|found| found.message.split(' ').nth(1).unwrap()).collect();
    assert_eq!(warnings, ["`set-output`", "`save-state`"]);
    assert_eq!(failures(&effects), ["Required field 'name' is missing in ##[set-output] command."]);
    assert!(lines(&effects).contains(&"##[error]Unable to process command '::set-output::x' successfully."));
}

#[test]
fn variables_are_set_only_if_that_is_allowed() {
    let text = "::set-env name=A::1\n::add-path::/bin\n::set-env name=node_options::x\n";
    let effects = read_all(output(), text);
    assert_eq!(failures(&effects).len(), 3);
    assert!(failures(&effects)[1].starts_with("The `add-path` command is disabled. Please upgrade"));
    let effects = read_all(output_with(|options| options.allow_unsecure_commands = true), text);
    assert_eq!(
        effects[..2],
        [Effect::SetEnv { name: "A".to_owned(), value: "1".to_owned() }, Effect::AddPath("/bin".to_owned())]
    );
    assert_eq!(
        annotations(&effects)[0].message,
        "Can't update NODE_OPTIONS environment variable using ::set-env:: command."
    );
    assert_eq!(failures(&effects), [""; 0]);
}

#[test]
fn stopped_commands_are_text_in_both_streams() {
    let output = output();
    let (mut out, mut error) = (OutputReader::new(output.clone()), OutputReader::new(output));
    assert_eq!(lines(&out.read(b"::stop-commands::quite-secret\n")), ["::stop-commands::***"]);
    assert_eq!(error.read(b"::error::x\n"), [shown(&["::error::x"])]);
    assert_eq!(error.read(b"::add-mask::x\n::quite::\n"), [shown(&["::add-mask::x", "::quite::"])]);
    assert_eq!(error.read(b"::QUITE-secret::\n"), [shown(&["::QUITE-secret::"])]);
    assert_eq!(annotations(&out.read(b"::error::x\n")).len(), 1);
    assert_eq!(out.read(b"::quite-secret::\n"), [shown(&["::***::"])]);
}

#[test]
fn tokens_that_anybody_knows_are_refused() {
    for token in ["", "error", "Stop-Commands", "pause-logging"] {
        let text = format!("::stop-commands::{token}\n::warning::x\n");
        let effects = read_all(output(), &text);
        assert!(
            failures(&effects)[0].starts_with("You cannot use a endToken that is an empty string"),
            "{token}"
        );
        assert_eq!(annotations(&effects).len(), 2);
        let effects = read_all(output_with(|options| options.allow_unsecure_stop_tokens = true), &text);
        assert_eq!((failures(&effects).len(), annotations(&effects).len()), (0, 0), "{token}");
    }
}

#[test]
fn debugging_shows_messages_and_commands() {
    let text =
        "::debug::a%0Ab\n::group::g\n::add-mask::hunter2\n::echo::off\n::group::h\n::echo::maybe\n::echo::\n";
    let effects = read_all(output_with(|options| options.debug = true), text);
    assert_eq!(
        lines(&effects)[..8],
        [
            "##[debug]a",
            "##[debug]b",
            "::group::g",
            "##[group]g",
            "::add-mask::***",
            "::echo::off",
            "##[debug]Setting echo command value to 'off'",
            "##[group]h",
        ]
    );
    assert!(failures(&effects)[0].starts_with("Invalid echo command value."));
    assert_eq!(failures(&effects)[1], "Value cannot be null. (Parameter 'value')");
    let effects = read_all(output(), "::debug::a\n::echo::on\n::group::g\n");
    assert_eq!(lines(&effects), ["::group::g", "##[group]g"]);
}

#[test]
fn problems_are_found_in_what_is_printed() {
    let text = "src/a.c:1:2: error: before\n::add-matcher::gcc.json\n\
        \u{1b}[1msrc/a.c:3:0:\u{1b}[0m warning: unused\n/etc/b.c:5:6: error: x\n\
        ::remove-matcher owner=GCC::\nsrc/a.c:1:2: error: after\n";
    let effects = read_all(output(), text);
    let found: Vec<_> = annotations(&effects)
        .into_iter()
        .map(|found| (found.level, found.file.as_deref(), found.line, found.column, found.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (AnnotationLevel::Warning, Some("src/a.c"), Some(3), None, "unused"),
            (AnnotationLevel::Error, None, Some(5), Some(6), "x"),
        ]
    );
    assert_eq!(
        lines(&effects),
        [
            "src/a.c:1:2: error: before",
            "##[warning]src/a.c:3:0: warning: unused",
            "##[error]/etc/b.c:5:6: error: x",
            "src/a.c:1:2: error: after",
        ]
    );
}

#[test]
fn files_of_matchers_may_be_missing_or_unusable() {
    let effects = read_all(output(), "::add-matcher::none.json\n");
    assert_eq!(failures(&effects), ["Could not find file '/w/none.json'."]);
    let effects = read_all(output(), "::add-matcher::/w/ahead.json\n::add-matcher::\n::remove-matcher::\n");
    let warnings: Vec<&str> = annotations(&effects).into_iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "The problem matcher 'o' is not used, because its pattern needs look-around, which cannot be matched in \
             linear time.",
            "File path must be specified.",
            "Either an owner name or a file path must be specified in ##[remove-matcher] command.",
        ]
    );
    assert_eq!(failures(&effects), [""; 0]);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_well_as_can_be() {
    let mut reader = OutputReader::new(output());
    assert_eq!(reader.read(b"a\xff\0b\n10%\r20%\r\n"), [shown(&["a\u{fffd}\0b", "10%", "20%"])]);
}

#[test]
fn prompts_are_shown_before_their_line_ends() {
    let output = output();
    output.masker.add(["hunter2"]);
    let mut reader = OutputReader::new(output);
    for (bytes, expected) in [
        ("", None),
        ("Password for hunter2? ", Some("Password for ***? ")),
        ("yes\n", None),
        (" :", None),
        (":add-mask::x", None),
        ("\nx ##[add-mask]y", None),
    ] {
        reader.read(bytes.as_bytes());
        assert_eq!(reader.partial().as_deref(), expected, "{bytes}");
    }
    reader.read(&[b'x'; 8192]);
    assert_eq!(reader.partial(), None);
}

#[test]
fn findings_are_counted() {
    let effects = read_all(output(), &"::error::x\n".repeat(1100));
    assert_eq!((annotations(&effects).len(), lines(&effects).len()), (1000, 1100));
    let effects = read_all(output(), &format!("::error::{}\n", "ä".repeat(5000)));
    assert_eq!(annotations(&effects)[0].message.chars().count(), 4096);
    assert_eq!(lines(&effects)[0].chars().count(), "##[error]".len() + 5000);
}

#[test]
fn long_lines_go_on_as_text() {
    let long = "x".repeat(LINE_LIMIT);
    let effects = read_all(output(), &format!("{long}::error::no command\n::error::a command\n"));
    assert_eq!(lines(&effects), [long.as_str(), "::error::no command", "##[error]a command"]);
}

#[test]
fn long_commands_that_need_all_of_their_data_are_refused() {
    for command in ["add-mask", "set-output name=a"] {
        let effects =
            read_all(output(), &format!("::{command}::hunter2{}\nnext\n", "x".repeat(3 * LINE_LIMIT)));
        let all = format!("{effects:?}");
        assert!(all.len() < 2000 && !all.contains("hunter2"), "{command}");
        assert_eq!(failures(&effects), ["The line is longer than 1 MiB."]);
        assert_eq!(*lines(&effects).last().unwrap(), "next");
    }
}

#[test]
fn secrets_are_masked_where_long_lines_are_cut() {
    for before in [LINE_LIMIT - 20, LINE_LIMIT - 7, LINE_LIMIT - 3, LINE_LIMIT] {
        let output = output();
        output.masker.add(["a-long-secret-of-the-job"]);
        let text = format!("{}a-long-secret-of-the-job y\n", "x".repeat(before));
        let effects = read_all(output, &text);
        let lines = lines(&effects);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.concat().replace('x', ""), "*** y", "{before}");
    }
    let output = output();
    output.masker.add(["a-long-secret-of-the-job"]);
    let effects = read_all(output, &"a-long-secret-of-the-job".repeat(LINE_LIMIT / 10));
    assert!(lines(&effects).iter().all(|line| *line == "***"), "secrets that touch leave places to cut");
}

/// Bytes of steps: lines, commands, and noise.
fn output_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        "[a-c :%=,\\[\\]#]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "\n",
            "\r",
            "\r\n",
            "::",
            "##[",
            "::error file=src/a.c,line=1::",
            "::add-mask::",
            "s3cret",
            "s3",
            "cret",
            "::stop-commands::token-1\n",
            "::token-1::\n",
            "::add-matcher::gcc.json\n",
            "src/a.c:1:2: error: x\n",
            "::set-output name=a::",
            "::group::g\n",
            "##[endgroup]",
            "\u{1b}[1m",
            "ä",
            "\u{feff}",
            "::echo::on\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        Just(b"::add-mask::s3cret\n".to_vec()),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn effects_do_not_depend_on_how_bytes_come(bytes in output_bytes(), sizes in prop::collection::vec(1_usize..20, 1..8)) {
        let read = |split: bool| {
            let mut reader = OutputReader::new(output());
            let (mut effects, mut rest) = (Vec::new(), bytes.as_slice());
            for size in sizes.iter().cycle() {
                let (now, later) = rest.split_at(if split { rest.len().min(*size) } else { rest.len() });
                effects.extend(reader.read(now));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            effects.extend(reader.flush());
            merged(effects)
        };
        prop_assert_eq!(read(true), read(false));
    }

    #[test]
    fn nothing_that_is_shown_holds_a_secret(bytes in output_bytes()) {
        let output = output();
        output.masker.add(["s3cret"]);
        let mut reader = OutputReader::new(output.clone());
        let mut effects = reader.read(&bytes);
        let partial = reader.partial().unwrap_or_default();
        prop_assert!(!partial.contains("s3cret"));
        effects.extend(reader.flush());
        for effect in effects {
            let text = match effect {
                Effect::Lines(lines) => lines.join("\n"),
                Effect::Annotation(found) => format!("{found:?}"),
                Effect::Failure(text) => text,
                _ => continue,
            };
            prop_assert!(!text.contains("s3cret"), "{}", text);
        }
    }
}

#[test]
fn maskers_are_shared() {
    let masker = Arc::new(Masker::default());
    let options = StepOutputOptions::default();
    let output = StepOutput::new(options, Arc::clone(&masker), Arc::default(), Arc::new(Files));
    read_all(Arc::new(output), "::add-mask::hunter2\n");
    assert!(masker.finds_in("hunter2"));
}
