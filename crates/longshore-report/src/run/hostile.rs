//! Text that wants to be more than text, in every place that holds text, seen through every report.

use std::io;

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, JobKey, RunId, RunSink, RunState, StepEvent, StepNumber,
};
use proptest::prelude::*;

use super::html::Artifact;
use super::script::Script;
use super::{GitHub, Json, Plain, StepLogs, Verbosity, ansi, end, html, junit};
use crate::Style;

const NASTY: &str = "]]></a>\"'&\u{1b}[2J\u{1b}]0;x\u{7}<script>alert(1)</script>\u{202e}\u{fffe}\u{0}\r::error::x ##[group]y `|` --> %";

/// A run in which every text is the given one.
fn script(text: &str) -> Script {
    let mut script = Script::new(9, text, &[("a", text, &[]), ("b", text, &["a"])]);
    script.start("a", text, &[text, text]).step("a", 1, text);
    let marks = ["", "##[group]", "##[endgroup]", "##[error]", "::error file=x::", "##[command]"];
    let lines: Vec<String> = marks.iter().map(|mark| format!("{mark}{text}")).collect();
    script.log("a", 1, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut annotation = Annotation::new(AnnotationLevel::Error, text);
    annotation.file = Some(text.to_owned());
    annotation.title = Some(text.to_owned());
    annotation.line = Some(1);
    script.push(Some("a"), Some(1), annotation);
    script.push(
        Some("a"),
        Some(1),
        StepEvent::Summary { markdown: format!("{text}\n\n[{text}]({text})\n\n<b>{text}") },
    );
    script.fail("a", 1, Conclusion::Failure).skip("a", 2, text, Some(text)).end_job("a", Conclusion::Failure);
    script.push(
        Some("b"),
        None,
        longshore_event::JobEvent::Finished {
            conclusion: Conclusion::Failure,
            continue_on_error: false,
            outputs: std::collections::BTreeMap::new(),
            url: Some(format!("https://{text}")),
            error: Some(text.to_owned()),
            kept: false,
        },
    );
    script.end(Conclusion::Failure);
    script
}

fn state(script: &Script) -> RunState {
    let mut state = RunState::default();
    script.events.iter().for_each(|event| state.apply(event));
    state
}

fn reader(text: String) -> impl StepLogs {
    move |_: RunId, _: &JobKey, _: StepNumber, line: &mut dyn FnMut(&str)| -> io::Result<()> {
        ["", "##[group]", "##[error]"].iter().for_each(|mark| line(&format!("{mark}{text}")));
        Ok(())
    }
}

fn check(text: &str) {
    let script = script(text);
    let state = state(&script);
    let mut xml = Vec::new();
    junit::write(&[&state], &mut reader(text.to_owned()), &mut xml).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));

    let mut page = Vec::new();
    let artifacts = [Artifact { name: text.to_owned(), bytes: 3 }];
    html::write(&state, &artifacts, &mut reader(text.to_owned()), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    // It is written so that it is XML too; then its elements are known beyond doubt.
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(&page, options)
        .unwrap_or_else(|error| panic!("{error}: {page}"));
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "img", "iframe", "object", "form", "link", "base"].contains(&name), "{page}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on") && attribute.name() != "style", "{page}");
            let web = ["http://", "https://"].iter().any(|scheme| attribute.value().starts_with(scheme));
            assert!(attribute.name() != "href" || web, "{page}");
        }
    }

    let mut lines = Vec::new();
    let mut display = GitHub::new(&mut lines);
    script.events.iter().for_each(|event| display.take(event));
    display.finish().unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(!lines.contains("##[") && !lines.contains('\r'), "{lines}");
    for line in lines.split('\n').filter(|line| line.trim_start().starts_with("::")) {
        let known = ["::group::", "::endgroup::", "::error file=", "::error::"];
        assert!(known.iter().any(|command| line.starts_with(command)), "{line}");
    }
    assert!(lines.matches("\n::error file=").count() <= 1, "{lines}");

    let mut plain = Vec::new();
    let mut display = Plain::new(&mut plain, Verbosity::Verbose, Style { color: true, width: 80 });
    script.events.iter().for_each(|event| display.take(event));
    let mut plain = String::from_utf8(plain).unwrap();
    end::write(&state, Style { color: true, width: 80 }, &mut plain);
    for line in plain.split('\n') {
        assert_eq!(
            ansi::terminal(line, true).trim_end_matches("\u{1b}[0m"),
            line.trim_end_matches("\u{1b}[0m")
        );
    }

    let mut json = Vec::new();
    let mut display = Json::new(&mut json);
    script.events.iter().for_each(|event| display.take(event));
    assert_eq!(String::from_utf8(json).unwrap().lines().count(), script.events.len());
}

#[test]
fn hostile_text_stays_text() {
    check(NASTY);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_stays_text(text in "([<>&'\"\u{1b}\r\t;:#\\[\\]m0-9|`()*_~!a-z%]|\\PC|\\p{Cc}){0,40}") {
        check(&text);
    }
}
