//! Help, version, completions, manual pages, and slips on the command line.

use crate::context::TestContext;

/// Every verb as it is typed.
const VERBS: &[&[&str]] = &[
    &["run"],
    &["watch"],
    &["plan"],
    &["check"],
    &["expr"],
    &["runs"],
    &["runs", "list"],
    &["runs", "show"],
    &["runs", "rm"],
    &["runs", "prune"],
    &["rerun"],
    &["shell"],
    &["artifact"],
    &["artifact", "ls"],
    &["artifact", "get"],
    &["logs"],
    &["explain"],
    &["doctor"],
    &["image"],
    &["image", "pull"],
    &["image", "push"],
    &["image", "tag"],
    &["image", "ls"],
    &["image", "inspect"],
    &["image", "history"],
    &["image", "rm"],
    &["image", "save"],
    &["image", "load"],
    &["image", "import"],
    &["image", "bootstrap"],
    &["image", "prune"],
    &["login"],
    &["logout"],
    &["completions"],
    &["man"],
    &["debug"],
    &["debug", "batch"],
    &["debug", "settings"],
];

#[test]
fn help_of_the_whole() {
    insta::assert_snapshot!(TestContext::new().run(&["--help"]).shown());
}

#[test]
fn every_verb_teaches_by_examples() {
    let context = TestContext::new();
    let mut shown = String::new();
    for verb in VERBS {
        let help = context.run(&[verb, &["--help"][..]].concat());
        assert_eq!(help.code, 0);
        let (_, examples) =
            help.stdout.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{verb:?} has no examples"));
        let number = examples.lines().filter(|line| line.starts_with("  ")).count();
        assert!((2..=4).contains(&number), "{verb:?} has {number} examples");
        // The global options are the same everywhere; one snapshot of them is enough.
        let own = help.stdout.split("\nGlobal options:").next().unwrap();
        shown += &format!("===== longshore {} =====\n{own}\nExamples:\n{examples}\n", verb.join(" "));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn flags_stand_below_the_heading_that_they_belong_to() {
    let context = TestContext::new();
    for (verb, flag, heading) in [
        (&["run"][..], "--format <FORMAT>", "Options:"),
        (&["run"], "--secret-file <FILE>", "Secrets:"),
        (&["run"], "--fork", "Event:"),
        (&["watch"], "--max-jobs <NUMBER>", "Options:"),
        (&["rerun"], "--debug", "Options:"),
        (&["shell"], "[COMMAND]...", "Arguments:"),
        (&["container", "run"], "--detach[=<BOOL>]", "Options:"),
        (&["container", "create"], "--platform <PLATFORM>", "Options:"),
        (&["container", "run"], "--cap-add <CAPABILITY>", "Security:"),
    ] {
        let help = context.run(&[verb, &["--help"][..]].concat()).stdout;
        let (before, _) =
            help.split_once(&format!("{flag}\n")).unwrap_or_else(|| panic!("{verb:?} has no {flag}"));
        let above = before.lines().rfind(|line| line.ends_with(':') && !line.starts_with(' '));
        assert_eq!(above, Some(heading), "{verb:?} {flag}");
    }
}

#[test]
fn version_names_the_commit_if_there_is_one() {
    let context = TestContext::new();
    let version = context.run(&["--version"]).stdout;
    let rest = version.strip_prefix(&format!("longshore {}", env!("CARGO_PKG_VERSION"))).unwrap().trim_end();
    if !rest.is_empty() {
        let commit = rest.trim().strip_prefix('(').unwrap().strip_suffix(')').unwrap();
        let hash = commit.split(' ').next().unwrap();
        assert!(hash.len() == 9 && hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{version}");
    }
    assert_eq!(context.run(&["-V"]).stdout, version);
}

#[test]
fn slips_are_recognised() {
    let context = TestContext::new();
    for (arguments, hint) in [
        (&["chek"][..], "'check'"),
        (&["check", "--fromat", "json"], "'--format'"),
        (&["check", "--format", "jsn"], "'json'"),
        (&["debug", "setings"], "'settings'"),
        (&["man", "chekc"], "`check`"),
    ] {
        let ended = context.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains(hint),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(context.run(&[]).code, 2, "without a verb, help is an answer to a mistake");
}

#[test]
fn completions_know_every_verb() {
    let context = TestContext::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = context.run(&["completions", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        for verb in VERBS.iter().copied().flatten() {
            assert!(ended.stdout.contains(verb), "{shell} does not complete {verb}");
        }
    }
}

#[test]
fn manual_pages_know_every_verb() {
    let context = TestContext::new();
    let page = context.run(&["man"]);
    assert_eq!((page.code, page.stderr.as_str()), (0, ""));
    for verb in VERBS {
        if let [verb] = verb {
            assert!(page.stdout.contains(&format!("longshore\\-{verb}(1)")), "longshore(1) lacks {verb}");
        }
        let own = context.run(&[&["man"][..], verb].concat()).stdout;
        assert!(own.contains(&format!(".TH longshore-{} 1", verb.join("-"))), "{verb:?}: {own}");
    }
    assert!(page.stdout.contains("Exit codes"));
}
