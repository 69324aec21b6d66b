//! The actions that a job uses, with those that composite actions use.

use std::collections::HashSet;

use longshore_syntax::{Diagnostic, SourceRef, Span};

use super::planner::{Found, Planner};
use super::scope::{Origin, Scope, normalize, remote};
use super::{ActionKind, ActionUse};
use crate::model::{Runs, Step, StepKind, StepsJob};
use crate::template::code;

/// GitHub's limit for composite actions in composite actions.
const MAX_DEPTH: usize = 10;

/// Actions that are still to be looked into, as `uses` of one file.
struct Uses {
    text: String,
    span: Span,
    via: Vec<String>,
    origin: Origin,
}

impl Planner<'_> {
    /// The actions of a job, each once, in order of first use; those of a composite action after it.
    pub(super) fn actions(&mut self, scope: &Scope<'_>, job: &StepsJob) -> Vec<ActionUse> {
        let mut found: Vec<ActionUse> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let first =
            |(text, span): (String, Span)| Uses { text, span, via: Vec::new(), origin: scope.origin.clone() };
        let mut waiting: Vec<Uses> = named(&job.steps).into_iter().map(first).collect();
        waiting.reverse();
        while let Some(next) = waiting.pop() {
            let Some((kind, directory)) = resolve(&next.text, &next.origin) else { continue };
            if !seen.insert(directory.as_ref().map_or_else(|| next.text.clone(), ToString::to_string)) {
                continue;
            }
            let inner =
                directory.as_ref().map_or_else(Vec::new, |directory| self.inner(scope, directory, &next));
            found.push(ActionUse { uses: next.text, kind, span: next.span, via: next.via });
            waiting.extend(inner.into_iter().rev());
        }
        found
    }

    /// What an action itself uses.
    fn inner(&mut self, scope: &Scope<'_>, directory: &SourceRef, outer: &Uses) -> Vec<Uses> {
        let local = matches!(directory, SourceRef::Local { .. });
        if outer.via.len() >= MAX_DEPTH || !local && !self.input.fetch_actions {
            return Vec::new();
        }
        let manifest = match self.manifest(directory) {
            Found::Here(Some(manifest)) => manifest,
            Found::Here(None) | Found::Wanted => return Vec::new(),
            Found::Missing(reason) => {
                let message = format!("the action `{}` is not at hand: {reason}", outer.text);
                let mut diagnostic = Diagnostic::warning(code::INVALID_USES, outer.span, message);
                if local {
                    diagnostic = diagnostic.help("this is well if an earlier step puts it there");
                }
                self.report(scope.file(), diagnostic);
                return Vec::new();
            }
        };
        let mut via = outer.via.clone();
        via.push(outer.text.clone());
        let origin = Origin::of(directory);
        let found = match &manifest.runs {
            Some(Runs::Composite { steps }) => named(steps).into_iter().map(|(uses, _)| uses).collect(),
            Some(Runs::Docker { image, .. }) if image.value.starts_with("docker://") => {
                vec![image.value.clone()]
            }
            _ => Vec::new(),
        };
        let inner = |text| Uses { text, span: outer.span, via: via.clone(), origin: origin.clone() };
        found.into_iter().map(inner).collect()
    }
}

/// The `uses` of steps, in order.
fn named(steps: &[Step]) -> Vec<(String, Span)> {
    let all = steps.iter().flat_map(Step::flatten);
    all.filter_map(|step| match &step.kind {
        StepKind::Uses { uses, .. } => Some((uses.value.clone(), uses.span)),
        _ => None,
    })
    .collect()
}

/// What a `uses` means, and the directory of the action if it has one. `./` is the work tree, which holds the repository
/// at hand; `$/` is the repository that the file is from.
fn resolve(uses: &str, origin: &Origin) -> Option<(ActionKind, Option<SourceRef>)> {
    if let Some(image) = uses.strip_prefix("docker://") {
        return Some((ActionKind::Docker { image: image.to_owned() }, None));
    }
    if let Some(path) = uses.strip_prefix("./") {
        let path = normalize(path);
        return Some((ActionKind::Local { path: path.clone() }, Some(SourceRef::Local { path })));
    }
    let directory = match uses.strip_prefix("$/") {
        Some(path) => origin.path(path),
        None => remote(uses)?,
    };
    let kind = match &directory {
        SourceRef::Local { path } => ActionKind::Local { path: path.clone() },
        SourceRef::Remote { .. } => ActionKind::Remote(directory.clone()),
    };
    Some((kind, Some(directory)))
}
