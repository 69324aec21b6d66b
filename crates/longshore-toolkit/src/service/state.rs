//! What the connections of a server share.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::http::Request;
use super::key::IdentityKey;
use super::listener::Bell;
use super::options::{JobGrant, ServerOptions};
use super::token::{Purpose, Signer};
use super::twirp::Refusal;
use super::upload::Upload;
use crate::BackendId;
use crate::artifact::ArtifactName;
use crate::cache::StoredCache;
use crate::depot::random_name;

/// How many uploads may be under way, and how many addresses for downloading are kept.
const MOST_UPLOADS: usize = 512;
const MOST_DOWNLOADS: usize = 512;
/// Where blobs are. The client of Azure wants an account, a container and a name if the host is a number.
pub(super) const BLOBS: &str = "/longshore/blobs/";

/// What connections share.
pub(super) struct Shared {
    pub(super) options: ServerOptions,
    /// `http://host:port`.
    pub(super) origin: String,
    pub(super) signer: Signer,
    pub(super) bell: Bell,
    pub(super) identity: Mutex<Option<Arc<IdentityKey>>>,
    grants: Mutex<HashMap<BackendId, Arc<JobGrant>>>,
    uploads: Mutex<HashMap<String, Arc<Upload>>>,
    downloads: Mutex<VecDeque<(String, Arc<Download>)>>,
}

/// What stands behind an address for downloading.
#[derive(Debug)]
pub(super) enum Download {
    Artifact(ArtifactName),
    Cache(StoredCache),
}

impl Shared {
    pub(super) fn new(options: ServerOptions, origin: String, signer: Signer, bell: Bell) -> Self {
        Self {
            options,
            origin,
            signer,
            bell,
            identity: Mutex::default(),
            grants: Mutex::default(),
            uploads: Mutex::default(),
            downloads: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.options.clock)()
    }

    pub(super) fn grant(&self, grant: JobGrant) {
        locked(&self.grants).insert(grant.job.clone(), Arc::new(grant));
    }

    /// Forgets a job and what it was uploading.
    pub(super) fn revoke(&self, job: &BackendId) {
        locked(&self.grants).remove(job);
        locked(&self.uploads).retain(|_, upload| upload.job != *job);
    }

    /// The job whose token a request shows.
    pub(super) fn authorised(&self, request: &Request, purpose: Purpose) -> Result<Arc<JobGrant>, Refusal> {
        let unknown = || Refusal::new("unauthenticated", "the token is not one of this run's jobs");
        let token = request.bearer().ok_or_else(unknown)?;
        let job = self.signer.job(token, &self.options.run, purpose, self.now()).ok_or_else(unknown)?;
        locked(&self.grants).get(&job).map(Arc::clone).ok_or_else(unknown)
    }

    /// Keeps an upload; gives the address for its bytes.
    pub(super) fn offer_upload(&self, upload: Upload) -> Result<String, Refusal> {
        let id = self.keep_upload(upload)?.to_string();
        Ok(self.address(&id, "w"))
    }

    /// Keeps an upload; gives its number.
    pub(super) fn keep_upload(&self, upload: Upload) -> Result<u64, Refusal> {
        // JavaScript must be able to hold it.
        let random = random_name()?;
        let id = u64::from_str_radix(random.get(..13).unwrap_or_default(), 16).unwrap_or_default();
        let mut uploads = locked(&self.uploads);
        // Whoever begins the same thing again has given up the first attempt.
        uploads.retain(|_, known| !(known.job == upload.job && known.target == upload.target));
        if uploads.len() >= MOST_UPLOADS {
            return Err(Refusal::new("resource_exhausted", "too many uploads are under way"));
        }
        uploads.insert(id.to_string(), Arc::new(upload));
        Ok(id)
    }

    /// The upload of an address.
    pub(super) fn upload(&self, id: &str) -> Option<Arc<Upload>> {
        locked(&self.uploads).get(id).map(Arc::clone)
    }

    /// Takes an upload out by what it is for.
    pub(super) fn take_upload(&self, fits: impl Fn(&Upload) -> bool) -> Option<Arc<Upload>> {
        let mut uploads = locked(&self.uploads);
        let id = uploads.iter().find(|(_, upload)| fits(upload)).map(|(id, _)| id.clone())?;
        uploads.remove(&id)
    }

    /// Whether an upload is under way.
    pub(super) fn is_uploading(&self, fits: impl Fn(&Upload) -> bool) -> bool {
        locked(&self.uploads).values().any(|upload| fits(upload))
    }

    /// Keeps something for downloading; gives its address.
    pub(super) fn offer_download(&self, download: Download) -> Result<String, Refusal> {
        let id = random_name()?;
        let mut downloads = locked(&self.downloads);
        if downloads.len() >= MOST_DOWNLOADS {
            downloads.pop_front();
        }
        downloads.push_back((id.clone(), Arc::new(download)));
        drop(downloads);
        Ok(self.address(&id, "r"))
    }

    pub(super) fn download(&self, id: &str) -> Option<Arc<Download>> {
        let downloads = locked(&self.downloads);
        downloads.iter().find(|(known, _)| known == id).map(|(_, download)| Arc::clone(download))
    }

    fn address(&self, id: &str, right: &str) -> String {
        let path = format!("{BLOBS}{id}");
        format!("{}{path}?{}", self.origin, self.signer.query(&path, right, self.now()))
    }
}

/// Locks also what a panicking thread had locked: every change under these locks is one step.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
