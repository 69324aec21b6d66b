//! One blob on its way to a registry.
//!
//! Distribution specification, section "Pushing blobs". In this order: nothing, if the registry has the blob; a mount
//! from another repository, if one is known; the whole blob in one `PUT` after a `POST`, which registries take fastest;
//! and if the registry refuses that, or breaks off and says how much it has, the rest in pieces by `PATCH`.

use std::io::{self, Read};
use std::time::Duration;

use longshore_event::ImageEvent;
use longshore_oci::Descriptor;
use ureq::http::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE};
use ureq::http::{Method, Uri};

use crate::client::{RegistryClient, Repository};
use crate::download::tell_present;
use crate::error::RegistryError;
use crate::peer::{Call, Target, lead};
use crate::progress::Progress;
use crate::store::BlobStore;
use crate::transport::{Answer, Payload, Source};
use crate::uri::with_query;

/// How much goes in one piece, unless the registry wants more.
const PIECE: u64 = 16 * 1024 * 1024;

/// Pieces are never larger, whatever the registry wants.
const LARGEST_PIECE: u64 = 1024 * 1024 * 1024;

/// Where registries say how large pieces must be at least.
const MIN_PIECE_HEADER: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// What comes as bytes.
const OCTETS: &str = "application/octet-stream";

/// A blob that is leaving.
struct Upload<'a> {
    client: &'a RegistryClient,
    repository: &'a Repository,
    store: &'a dyn BlobStore,
    blob: &'a Descriptor,
    scopes: Vec<String>,
    attempt: String,
}

/// A place that the registry has made for an upload.
struct Session {
    location: Uri,
    /// How large pieces must be at least.
    piece: u64,
}

/// A part of a blob, from an offset on.
struct Part<'a> {
    upload: &'a Upload<'a>,
    offset: u64,
}

impl Source for Part<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let Upload { client, store, blob, .. } = self.upload;
        let inner = store.open(&blob.digest, self.offset)?;
        let progress = Progress::new(&*client.sink, blob.digest.to_string(), Some(blob.size));
        Ok(Box::new(Counted { inner, progress, done: self.offset }))
    }
}

/// Reports what is read.
struct Counted<'a> {
    inner: Box<dyn Read + Send + 'a>,
    progress: Progress<'a>,
    done: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done += count as u64;
        self.progress.report(self.done);
        Ok(count)
    }
}

impl RegistryClient {
    /// Brings one blob to a registry that may have it. `origin` is another repository of the registry that has it.
    pub(crate) fn push_blob(
        &self,
        repository: &Repository,
        store: &dyn BlobStore,
        blob: &Descriptor,
        origin: Option<&str>,
        parent: &str,
    ) -> Result<(), RegistryError> {
        let mut scopes = repository.scope("pull,push");
        scopes.extend(origin.map(|origin| format!("repository:{origin}:pull")));
        let attempt = format!("push the blob `{}`", blob.digest);
        let upload = Upload { client: self, repository, store, blob, scopes, attempt };
        if self.retrying(|| upload.is_there())? {
            tell_present(self, blob);
            return Ok(());
        }
        let failed =
            |source| RegistryError::Store { action: "look for", digest: blob.digest.clone(), source };
        if store.size(&blob.digest).map_err(failed)?.is_none() {
            let (digest, parent) = (blob.digest.clone(), parent.to_owned());
            return Err(RegistryError::Missing { digest, parent });
        }
        let Some(session) = self.retrying(|| upload.begin(origin))? else {
            tell_present(self, blob);
            return Ok(());
        };
        self.tell(ImageEvent::Queued { item: blob.digest.to_string(), total: Some(blob.size) });
        upload.send(session)?;
        Progress::new(&*self.sink, blob.digest.to_string(), Some(blob.size)).complete(blob.size);
        Ok(())
    }
}

impl Upload<'_> {
    fn is_there(&self) -> Result<bool, RegistryError> {
        let path = self.repository.path(&format!("blobs/{}", self.blob.digest));
        let call = Call::new(Method::HEAD, Target::Path(&path), &self.scopes);
        let answer = self.client.send(self.repository, &self.attempt, &call)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            // Answers to HEAD have no words; the request after this one is refused with some.
            400..=499 if answer.status != 429 => Ok(false),
            _ => Err(self.client.refused(self.repository, &self.attempt, answer)),
        }
    }

    /// Asks for a place for the blob. Nothing if the registry took it from another repository.
    fn begin(&self, origin: Option<&str>) -> Result<Option<Session>, RegistryError> {
        let path = self.repository.path("blobs/uploads/");
        if let Some(origin) = origin {
            let mount = format!("{path}?mount={}&from={}", self.blob.digest, origin.replace('/', "%2F"));
            let mut call = Call::new(Method::POST, Target::Path(&mount), &self.scopes);
            call.payload = Payload::Bytes(b"");
            let answer = self.client.send(self.repository, &self.attempt, &call)?;
            match answer.status {
                201 => return Ok(None),
                202 => return self.session(&answer).map(Some),
                // It may not let us read there; then the blob is sent.
                _ => {}
            }
        }
        let mut call = Call::new(Method::POST, Target::Path(&path), &self.scopes);
        call.payload = Payload::Bytes(b"");
        let answer = self.client.request(self.repository, &self.attempt, &call, &[202])?;
        self.session(&answer).map(Some)
    }

    /// The place that an answer names.
    fn session(&self, answer: &Answer) -> Result<Session, RegistryError> {
        let Some(location) = answer.header(&LOCATION).filter(|location| !location.is_empty()) else {
            return Err(self.nonsense("the registry does not say where to send it"));
        };
        let location = lead(answer, location).map_err(|problem| {
            let (attempt, place) = (self.attempt.clone(), self.repository.place.clone());
            RegistryError::Exchange { attempt, place, source: problem.into() }
        })?;
        let least = answer.header(&MIN_PIECE_HEADER).and_then(|text| text.trim().parse::<u64>().ok());
        Ok(Session { location, piece: least.unwrap_or_default().clamp(PIECE, LARGEST_PIECE) })
    }

    fn nonsense(&self, problem: &str) -> RegistryError {
        let (attempt, place) = (self.attempt.clone(), self.repository.place.clone());
        RegistryError::Protocol { attempt, place, problem: problem.to_owned() }
    }

    /// Sends the blob to a place, and to another one if that fails for a reason that may pass.
    fn send(&self, session: Session) -> Result<(), RegistryError> {
        let mut backoff = self.client.backoff();
        let mut session = session;
        let mut whole = true;
        // How much the registry has of it, if it was asked after something broke.
        let mut kept = 0;
        loop {
            let sent = if whole && kept == 0 {
                self.put_whole(&session)
            } else {
                self.put_pieces(&mut session, kept)
            };
            let Err(error) = sent else { return Ok(()) };
            let refused = matches!(&error, RegistryError::Refused { refusal, .. }
                if matches!(refusal.status, 400 | 404 | 405 | 411 | 413 | 415 | 416 | 501));
            if refused && whole {
                whole = false;
                self.client.wait(&error, Duration::ZERO);
                (session, kept) = (self.anew()?, 0);
                continue;
            }
            let Some(wait) = backoff.next(error.hope(), error.retry_after()) else { return Err(error) };
            self.client.wait(&error, wait);
            kept = if let Some(kept) = self.kept(&mut session) {
                kept
            } else {
                session = self.anew()?;
                0
            };
        }
    }

    fn anew(&self) -> Result<Session, RegistryError> {
        let session = self.client.retrying(|| self.begin(None))?;
        session.ok_or_else(|| self.nonsense("the registry does not say where to send it"))
    }

    fn put_whole(&self, session: &Session) -> Result<(), RegistryError> {
        let part = Part { upload: self, offset: 0 };
        self.put(session, Payload::Stream { length: self.blob.size, source: &part })
    }

    /// Ends the upload, perhaps with bytes.
    fn put(&self, session: &Session, payload: Payload<'_>) -> Result<(), RegistryError> {
        let digest = self.blob.digest.as_str();
        let uri = with_query(&session.location, &[("digest", digest)])
            .ok_or_else(|| self.nonsense("the place to send it to cannot be used"))?;
        let call = Call {
            method: Method::PUT,
            target: Target::Address(&uri),
            headers: vec![(CONTENT_TYPE, OCTETS.to_owned())],
            payload,
            scopes: self.scopes.clone(),
            patient: true,
        };
        self.client.request(self.repository, &self.attempt, &call, &[200, 201, 204]).map(drop)
    }

    /// Sends what is missing piece by piece.
    fn put_pieces(&self, session: &mut Session, kept: u64) -> Result<(), RegistryError> {
        let mut offset = kept;
        while offset < self.blob.size {
            let length = session.piece.min(self.blob.size - offset);
            let part = Part { upload: self, offset };
            let call = Call {
                method: Method::PATCH,
                target: Target::Address(&session.location),
                headers: vec![
                    (CONTENT_TYPE, OCTETS.to_owned()),
                    (CONTENT_RANGE, format!("{offset}-{}", offset + length - 1)),
                ],
                payload: Payload::Stream { length, source: &part },
                scopes: self.scopes.clone(),
                patient: true,
            };
            let answer = self.client.request(self.repository, &self.attempt, &call, &[200, 201, 202, 204])?;
            offset = match received(&answer) {
                // Less than was sent is in order, but nothing at all would go on for ever.
                Some(received) if received <= offset => {
                    return Err(self.nonsense("the registry does not take in any more of it"));
                }
                Some(received) => received.min(offset + length),
                None => offset + length,
            };
            let piece = session.piece;
            *session = Session { piece, ..self.session(&answer)? };
        }
        self.put(session, Payload::Bytes(b""))
    }

    /// How much the registry has of an upload that broke off. Nothing if it does not tell.
    fn kept(&self, session: &mut Session) -> Option<u64> {
        let call = Call::new(Method::GET, Target::Address(&session.location), &self.scopes);
        let answer = self.client.request(self.repository, &self.attempt, &call, &[200, 202, 204]).ok()?;
        let kept = received(&answer).filter(|kept| (1..=self.blob.size).contains(kept))?;
        if answer.header(&LOCATION).is_some() {
            *session = Session { piece: session.piece, ..self.session(&answer).ok()? };
        }
        Some(kept)
    }
}

/// How much the registry has: `Range: 0-99` means 100 bytes.
fn received(answer: &Answer) -> Option<u64> {
    let range = answer.header(&RANGE)?.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last: u64 = range.split_once('-').filter(|(first, _)| *first == "0")?.1.parse().ok()?;
    // `0-0` is what registries say of nothing at all, and one byte is soon sent again.
    Some(if last == 0 { 0 } else { last.checked_add(1)? })
}
