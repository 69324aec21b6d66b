//! Action manifests.

use longshore_syntax::{Diagnostic, SourceFile, Spanned};

use super::{Lowering, text};
use crate::model::{ActionInput, ActionManifest, ActionOutput, Lifecycle, Runs};
use crate::template::{Refusal, Refusals, Token, code};

/// The action that `root` describes, and what GitHub refuses about it beyond its schema.
pub(crate) fn lower_action(file: &SourceFile, root: &Token) -> (ActionManifest, Vec<Refusal>) {
    let mut lowering = Lowering { file, refusals: Refusals::default() };
    let entries = |key: &str| root.entry(key).map_or(&[][..], Token::entries);
    let manifest = ActionManifest {
        file: file.clone(),
        name: root.entry("name").and_then(text),
        description: root.entry("description").and_then(Token::as_str).map(str::to_owned),
        inputs: entries("inputs").iter().filter_map(input).collect(),
        outputs: entries("outputs")
            .iter()
            .filter_map(|(name, value)| {
                Some(ActionOutput { name: text(name)?, value: value.entry("value").cloned() })
            })
            .collect(),
        runs: root.entry("runs").and_then(|runs| lowering.runs(runs)),
        root: root.clone(),
    };
    (manifest, lowering.refusals.into_vec())
}

fn input((name, value): &(Token, Token)) -> Option<ActionInput> {
    let required = value.entry("required");
    Some(ActionInput {
        name: text(name)?,
        required: required
            .is_some_and(|token| token.as_bool() == Some(true) || token.as_str() == Some("true")),
        default: value.entry("default").cloned(),
        deprecation: value.entry("deprecationMessage").and_then(Token::as_str).map(str::to_owned),
    })
}

impl Lowering<'_> {
    fn runs(&mut self, token: &Token) -> Option<Runs> {
        let using = token.entry("using").and_then(text)?;
        self.check_entry(token, &using);
        match using.value.as_str() {
            "composite" => {
                Some(Runs::Composite { steps: token.entry("steps").map(|steps| self.steps(steps, false))? })
            }
            "docker" => Some(Runs::Docker {
                image: token.entry("image").and_then(text)?,
                entrypoint: token.entry("entrypoint").and_then(text),
                args: token.entry("args").map(|args| args.items().to_vec()).unwrap_or_default(),
                env: token.entry("env").cloned(),
                lifecycle: Box::new(self.lifecycle(token, "pre-entrypoint", "post-entrypoint")),
            }),
            _ => Some(Runs::Node {
                main: token.entry("main").and_then(text)?,
                lifecycle: Box::new(self.lifecycle(token, "pre", "post")),
                using,
            }),
        }
    }

    /// The schema tells the kinds of actions apart by their keys; the runner does by `using`.
    fn check_entry(&mut self, token: &Token, using: &Spanned<String>) {
        let wanted = match using.value.as_str() {
            "composite" => "steps",
            "docker" => "image",
            _ => "main",
        };
        if token.entry(wanted).is_none() {
            let message = format!("an action that uses `{}` needs the key `{wanted}`", using.value);
            self.refusals.push_unpublished(Diagnostic::error(code::MISSING_KEY, using.span, message));
        }
    }

    fn lifecycle(&mut self, token: &Token, pre: &str, post: &str) -> Lifecycle {
        Lifecycle {
            pre: token.entry(pre).and_then(text),
            pre_if: token.entry("pre-if").and_then(|condition| self.bare_condition(condition)),
            post: token.entry(post).and_then(text),
            post_if: token.entry("post-if").and_then(|condition| self.bare_condition(condition)),
        }
    }
}
