//! Conditions and caches that trust too much.

use longshore_expr::ExprKind;
use longshore_syntax::{Diagnostic, Edit, Severity};
use longshore_workflow::model::FilterKind;

use crate::{Place, Rule, Subject, expression};

pub(crate) const ACTOR: Rule = Rule::new(
    "lint/spoofable-actor",
    Severity::Warning,
    "a condition takes the last person who did something for the author",
    check_actor,
);

pub(crate) const SUBSTRING: Rule = Rule::new(
    "lint/substring-condition",
    Severity::Warning,
    "`contains` looks for a part of a text where an item of a list is meant",
    check_substring,
)
.with_fix();

pub(crate) const CACHE: Rule = Rule::new(
    "lint/cache-poisoning",
    Severity::Note,
    "a release is built with a cache that other runs can write",
    check_cache,
);

/// Events in whose runs being taken for a bot is worth something.
const PRIVILEGED: [&str; 5] =
    ["pull_request_target", "workflow_run", "issue_comment", "issues", "discussion_comment"];

fn check_actor(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if !PRIVILEGED.iter().any(|event| subject.has_trigger(event)) {
        return;
    }
    for site in subject.sites.iter().filter(|site| site.place == Place::If) {
        let mut spans = Vec::new();
        site.embedded.expr.walk(&mut |part| {
            let Some((longshore_expr::CompareOp::Equal, left, right)) = comparison(part) else { return };
            let bot = [left, right]
                .into_iter()
                .any(|side| expression::string(side).is_some_and(|text| text.ends_with("[bot]")));
            let actor = [left, right].into_iter().any(|side| {
                expression::reference(side).is_some_and(|read| {
                    read.starts_with(&["github", "actor"])
                        || read.starts_with(&["github", "triggering_actor"])
                })
            });
            if bot && actor {
                spans.push(part.span);
            }
        });
        for span in spans {
            found.push(
                ACTOR
                    .at(site.embedded.locate(span), "whoever gets the bot to act last on a pull request passes this, with the author's code")
                    .help("compare `github.event.pull_request.user.login`"),
            );
        }
    }
}

fn comparison(
    part: &longshore_expr::Expr,
) -> Option<(longshore_expr::CompareOp, &longshore_expr::Expr, &longshore_expr::Expr)> {
    if matches!(part.kind, ExprKind::Group(_)) { None } else { expression::comparison(part) }
}

fn check_substring(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for site in &subject.sites {
        let mut hits = Vec::new();
        site.embedded.expr.walk(&mut |part| {
            if let ExprKind::Function { name, args, .. } = &part.kind
                && name.eq_ignore_ascii_case("contains")
                && let [list, item] = args.as_slice()
                && let Some(text) = expression::string(list)
                && expression::string(item).is_none()
            {
                hits.push((list.span, text.to_owned()));
            }
        });
        for (span, text) in hits {
            let span = site.embedded.locate(span);
            let message = format!("any part of `{text}` passes this, such as `{}`", part_of(&text));
            let diagnostic = SUBSTRING.at(span, message);
            let Some(list) = as_list(&text).filter(|_| subject.file.slice(span) == format!("'{text}'"))
            else {
                found.push(diagnostic.help("look in a list: `contains(fromJSON('[\"a\", \"b\"]'), …)`"));
                continue;
            };
            let edit = Edit { span, text: list.clone() };
            found.push(
                diagnostic
                    .help(format!("look in a list: `contains({list}, …)`"))
                    .fix("look in a list", vec![edit]),
            );
        }
    }
}

/// A part of the text that nobody meant.
fn part_of(text: &str) -> String {
    let first = text.split([',', ' ']).find(|part| !part.is_empty()).unwrap_or(text);
    first.chars().take(first.chars().count().div_ceil(2)).collect()
}

/// `fromJSON('["a", "b"]')` for `a,b` or `a b`.
fn as_list(text: &str) -> Option<String> {
    let items: Vec<&str> = text.split([',', ' ']).filter(|item| !item.is_empty()).collect();
    let plain = |item: &&str| item.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    if items.len() < 2 || !items.iter().all(plain) {
        return None;
    }
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    Some(format!("fromJSON('[{}]')", quoted.join(", ")))
}

fn check_cache(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(workflow) = subject.workflow() else { return };
    let releases = !workflow.triggers.is_empty()
        && workflow.triggers.iter().all(|trigger| match trigger.event.value.as_str() {
            "release" | "workflow_dispatch" => true,
            "push" => {
                trigger.filter(FilterKind::Tags).is_some() && trigger.filter(FilterKind::Branches).is_none()
            }
            _ => false,
        })
        && workflow.triggers.iter().any(|trigger| trigger.event.value != "workflow_dispatch");
    if !releases {
        return;
    }
    for view in &subject.steps {
        let (Some((uses, _)), Some(action)) = (view.uses(), view.action()) else { continue };
        let setup =
            action.starts_with("actions/setup-") && view.input("cache").is_some_and(|cache| cache != "false");
        let docker = action == "docker/build-push-action"
            && view.input("cache-from").is_some_and(|from| from.contains("type=gha"));
        if matches!(action.as_str(), "actions/cache" | "actions/cache/restore") || setup || docker {
            let message = "a release is built from a cache that any run on the default branch can fill";
            found.push(CACHE.at(uses.span, message).help("build releases without caches"));
        }
    }
}
