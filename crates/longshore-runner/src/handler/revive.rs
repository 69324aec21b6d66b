//! What actions of a kept job left to be done, found again from what was written down.

use longshore_workflow::model::Runs;

use super::action::{Inputs, Post, PostKind};
use crate::action::{ResolvedAction, ResolvedActions, manifest_in, remote};
use crate::job::{JobRun, Place};
use crate::kept::{PostDto, unseal_pairs};
use crate::native::NativeAction;
use crate::runner::ActionMode;

/// What an action left to be done; none if the action is not there any more.
pub(crate) fn revive(
    run: &JobRun<'_>,
    place: &Place,
    actions: &ResolvedActions,
    post: &PostDto,
    secrets: &[(String, String)],
) -> Option<Post> {
    let native = NativeAction::find(&post.uses).filter(|_| run.runner.action_mode == ActionMode::Native);
    let (kind, condition) = if let Some(action) = native {
        (PostKind::Native(action), action.post_condition())
    } else {
        let action = find(place, actions, &post.uses)?;
        let runs = action.manifest.as_ref().and_then(|manifest| manifest.runs.as_ref());
        let condition = match runs {
            Some(Runs::Node { lifecycle, .. } | Runs::Docker { lifecycle, .. }) => lifecycle.post_if.clone(),
            _ => None,
        };
        (PostKind::Fetched(action), condition)
    };
    Some(Post {
        name: post.name.clone(),
        id: post.id.clone(),
        uses: post.uses.clone(),
        condition,
        inputs: Inputs::of(unseal_pairs(&post.inputs, secrets).0),
        state: unseal_pairs(&post.state, secrets).0,
        env: unseal_pairs(&post.env, secrets).0,
        kind,
    })
}

fn find(place: &Place, actions: &ResolvedActions, uses: &str) -> Option<ResolvedAction> {
    let Some(path) = uses.strip_prefix("./").or_else(|| (uses == ".").then_some("")) else {
        return actions.find(&remote(uses)?).cloned();
    };
    let inside = format!("{}/{path}", place.paths.workspace);
    let inside = inside.trim_end_matches('/').to_owned();
    let outside = place.paths.outside(&inside).filter(|_| !path.split('/').any(|part| part == ".."))?;
    let manifest = manifest_in(&outside, &inside).ok()?;
    Some(ResolvedAction { manifest, inside, repository: None, version: None })
}
