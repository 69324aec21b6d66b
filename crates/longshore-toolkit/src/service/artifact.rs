//! The calls of `ArtifactService`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::JobGrant;
use super::state::{Download, Shared};
use super::twirp::{Message, Refusal};
use super::upload::{Target, Upload};
use crate::artifact::{Artifact, ArtifactForm, ArtifactName, NewArtifact};
use crate::{BackendId, StorageError};

const DAY: i64 = 24 * 60 * 60;
/// The media types of archives; everything else that is uploaded is a file of its own.
const ZIP: &[&str] = &["", "application/zip", "application/x-zip-compressed", "application/zip-compressed"];

/// Begins an artifact, and says where its bytes go.
pub(super) fn create(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Value, Refusal> {
    check_run(shared, message)?;
    if message.text("workflow_job_run_backend_id") != grant.job.as_str() {
        return Err(Refusal::new("permission_denied", "the token is of another job"));
    }
    let media_type = message.text("mime_type");
    let archive = ZIP.contains(&media_type);
    let plain =
        media_type.len() <= 255 && media_type.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if !plain {
        return Err(Refusal::new("invalid_argument", "the media type holds what headers cannot"));
    }
    let new = new(shared, grant, message)?;
    shared.options.artifacts.refuse_taken(&new)?;
    let content = shared.options.artifacts.begin()?;
    let media_type = (!archive).then(|| media_type.to_owned());
    let target = Target::Artifact(new.name.clone());
    let mut upload = Upload::new(grant.job.clone(), target, content);
    upload.retention_days = new.retention_days;
    upload.media_type = media_type;
    Ok(json!({"ok": true, "signed_upload_url": shared.offer_upload(upload)?}))
}

/// Completes an artifact whose bytes have come.
pub(super) fn finalize(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Value, Refusal> {
    check_run(shared, message)?;
    let name = name(message)?;
    let size = message.number("size");
    let target = Target::Artifact(name.clone());
    let Some(upload) = shared.take_upload(|upload| upload.job == grant.job && upload.target == target) else {
        // The answer to the same call may have been lost.
        let done = find(shared, &name)?.map(|found| found.artifact().clone());
        let done =
            done.filter(|done| done.job == grant.job.as_str() && size.is_none_or(|size| size == done.size));
        let done = done.ok_or_else(|| Refusal::new("not_found", format!("nobody uploads `{name}`")))?;
        return Ok(json!({"ok": true, "artifact_id": done.id.to_string()}));
    };
    let content = upload.complete(size)?;
    let mut new = new(shared, grant, message)?;
    new.retention_days = upload.retention_days;
    let made = shared.options.artifacts.finish(&new, content, upload.media_type.clone())?;
    let claimed = message.text("hash");
    if !claimed.is_empty() && claimed != made.digest {
        shared.options.artifacts.delete(&shared.options.run, &name)?;
        return Err(Refusal::new("invalid_argument", "what was uploaded has another digest"));
    }
    Ok(json!({"ok": true, "artifact_id": made.id.to_string()}))
}

/// Lists the artifacts of the run.
pub(super) fn list(shared: &Shared, message: &Message) -> Result<Value, Refusal> {
    check_run(shared, message)?;
    let (name, id) = (message.text("name_filter"), message.number("id_filter"));
    let all = shared.options.artifacts.list(&shared.options.run, shared.now())?;
    let chosen = all
        .iter()
        .filter(|artifact| name.is_empty() || artifact.name == name)
        .filter(|artifact| id.is_none_or(|id| artifact.id == id));
    Ok(json!({"artifacts": chosen.map(row).collect::<Vec<_>>()}))
}

/// Says where an artifact is downloaded.
pub(super) fn address(shared: &Shared, message: &Message) -> Result<Value, Refusal> {
    check_run(shared, message)?;
    let name = name(message)?;
    let found = find(shared, &name)?.ok_or_else(|| missing(&name))?;
    // The archive of a tree is made now, because the client waits for this answer longer than for the next.
    found.blob()?;
    Ok(json!({"signed_url": shared.offer_download(Download::Artifact(name))?}))
}

/// Removes an artifact.
pub(super) fn delete(shared: &Shared, message: &Message) -> Result<Value, Refusal> {
    check_run(shared, message)?;
    let name = name(message)?;
    let gone = shared.options.artifacts.delete(&shared.options.run, &name)?;
    let gone = gone.filter(|gone| gone.expires > shared.now()).ok_or_else(|| missing(&name))?;
    Ok(json!({"ok": true, "artifact_id": gone.id.to_string()}))
}

pub(super) fn find(
    shared: &Shared,
    name: &ArtifactName,
) -> Result<Option<crate::artifact::StoredArtifact>, StorageError> {
    shared.options.artifacts.find(&shared.options.run, name, shared.now())
}

fn row(artifact: &Artifact) -> Value {
    let mut row = json!({
        "workflow_run_backend_id": artifact.run,
        "workflow_job_run_backend_id": artifact.job,
        "database_id": artifact.id.to_string(),
        "name": artifact.name,
        "size": artifact.size.to_string(),
        "created_at": artifact.created.to_string(),
    });
    // Clients hold downloads against the digest, and a tree is downloaded as an archive, whose digest it is not.
    if artifact.form != ArtifactForm::Tree
        && let Some(row) = row.as_object_mut()
    {
        row.insert("digest".to_owned(), artifact.digest.clone().into());
    }
    row
}

fn new(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<NewArtifact, Refusal> {
    let now = shared.now();
    Ok(NewArtifact {
        run: shared.options.run.clone(),
        job: grant.job.clone(),
        name: name(message)?,
        created: now,
        retention_days: days(message.time("expires_at")?, now, shared.options.retention_days),
        compression: 0,
        overwrite: false,
    })
}

/// For how many days something is kept that is to expire at some moment.
fn days(expires: Option<Timestamp>, now: Timestamp, most: u32) -> u32 {
    let Some(expires) = expires else { return most };
    let seconds = expires.as_second().saturating_sub(now.as_second());
    u32::try_from((seconds.saturating_add(DAY / 2) / DAY).max(1)).unwrap_or(u32::MAX).min(most.max(1))
}

fn name(message: &Message) -> Result<ArtifactName, Refusal> {
    message.text("name").parse().map_err(|error| StorageError::ArtifactName(error).into())
}

fn missing(name: &ArtifactName) -> Refusal {
    Refusal::new("not_found", format!("the run has no artifact `{name}`"))
}

fn check_run(shared: &Shared, message: &Message) -> Result<(), Refusal> {
    let run: Result<BackendId, _> = message.text("workflow_run_backend_id").parse();
    if run.is_ok_and(|run| run == shared.options.run) {
        return Ok(());
    }
    Err(Refusal::new("permission_denied", "the token is of another run"))
}
