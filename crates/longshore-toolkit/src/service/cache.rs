//! The calls of `CacheService`, version 2.

use serde_json::{Value, json};

use super::options::JobGrant;
use super::state::{Download, Shared};
use super::twirp::{Message, Refusal};
use super::upload::{Target, Upload};
use crate::StorageError;
use crate::cache::{CacheForm, CacheKey, NewCache, Saved, StoredCache};

/// How many keys a lookup may have.
const MOST_KEYS: usize = 10;
const LONGEST_VERSION: usize = 512;
pub(super) const READ_ONLY: &str = "this run may read caches and not write them";

/// Begins an entry, and says where its bytes go.
pub(super) fn create(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Value, Refusal> {
    let Some(new) = new(shared, grant, message)? else {
        return Ok(json!({"ok": false, "message": READ_ONLY}));
    };
    Ok(json!({"ok": true, "signed_upload_url": shared.offer_upload(begin(shared, grant, &new)?)?}))
}

/// An upload for an entry, unless there is one.
pub(super) fn begin(shared: &Shared, grant: &JobGrant, new: &NewCache) -> Result<Upload, Refusal> {
    let target = target(new);
    let others = shared.is_uploading(|upload| upload.target == target && upload.job != grant.job);
    if others || shared.options.caches.is_taken(new)? {
        return Err(Refusal::new("already_exists", format!("the cache `{}` exists already", new.key)));
    }
    Ok(Upload::new(grant.job.clone(), target, shared.options.caches.begin()?))
}

/// Completes an entry whose bytes have come.
pub(super) fn finalize(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Value, Refusal> {
    let Some(new) = new(shared, grant, message)? else {
        return Ok(json!({"ok": false, "message": READ_ONLY}));
    };
    let target = target(&new);
    let upload = shared.take_upload(|upload| upload.job == grant.job && upload.target == target);
    let upload =
        upload.ok_or_else(|| Refusal::new("not_found", format!("nobody uploads the cache `{}`", new.key)))?;
    let content = upload.complete(message.number("size_bytes"))?;
    match shared.options.caches.finish(&new, content)? {
        Saved::New(entry) => Ok(json!({"ok": true, "entry_id": entry.id.to_string()})),
        Saved::Taken => Ok(json!({"ok": false, "message": "another run saved this cache meanwhile"})),
    }
}

/// Finds an entry, and says where it is downloaded.
pub(super) fn address(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Value, Refusal> {
    let mut keys = vec![key(message.text("key"))?];
    for text in message.texts("restore_keys") {
        keys.push(key(text)?);
    }
    let Some(found) = find(shared, grant, &keys, &version(message)?)? else {
        return Ok(json!({"ok": false}));
    };
    let matched = found.entry().key.clone();
    let address = shared.offer_download(Download::Cache(found))?;
    Ok(json!({"ok": true, "signed_download_url": address, "matched_key": matched}))
}

/// Finds an entry that is an archive.
pub(super) fn find(
    shared: &Shared,
    grant: &JobGrant,
    keys: &[CacheKey],
    version: &str,
) -> Result<Option<StoredCache>, Refusal> {
    if keys.len() > MOST_KEYS {
        return Err(Refusal::new("invalid_argument", format!("there are more than {MOST_KEYS} keys")));
    }
    let found = shared.options.caches.find(keys, version, &grant.caches, shared.now())?;
    Ok(found.filter(|found| matches!(found.entry().form, CacheForm::Archive(_))))
}

fn target(new: &NewCache) -> Target {
    Target::Cache { key: new.key.clone(), version: new.version.clone(), scope: new.scope.clone() }
}

/// What the call wants to save; `None` if the job may not.
pub(super) fn new(shared: &Shared, grant: &JobGrant, message: &Message) -> Result<Option<NewCache>, Refusal> {
    let (key, version) = (key(message.text("key"))?, version(message)?);
    let created = shared.now();
    Ok(grant.caches.write.clone().map(|scope| NewCache { key, version, scope, created }))
}

pub(super) fn key(text: &str) -> Result<CacheKey, Refusal> {
    text.parse().map_err(|error| StorageError::CacheKey(error).into())
}

fn version(message: &Message) -> Result<String, Refusal> {
    let version = message.text("version");
    if (1..=LONGEST_VERSION).contains(&version.len()) {
        return Ok(version.to_owned());
    }
    Err(Refusal::new("invalid_argument", "the version is empty or too long"))
}
