//! One blob on its way from a registry into the store.
//!
//! A [`Transfer`] lives across attempts and places: what has arrived stays, and the next request asks for the rest
//! (RFC 9110, section 14). Bytes are verified by the store when the last one has come; what is too long, or announced
//! with another length, is refused before that. A server that sends nothing, or next to nothing, is given up.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use longshore_event::ImageEvent;
use longshore_oci::Descriptor;
use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};

use crate::client::{RegistryClient, Repository};
use crate::error::{ContentProblem, ExchangeProblem, RegistryError};
use crate::peer::{Call, Target};
use crate::progress::{Pace, Progress};
use crate::store::{BlobIngest, BlobStore, Committed, ContentKind, Intake, LayerStream, LayerTap};
use crate::transport::{Answer, TransportError};

/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// So much progress makes up for failed attempts.
const ACHIEVEMENT: u64 = 4 * 1024 * 1024;

/// What transfers of one pull share.
pub(crate) struct Channel<'a> {
    pub(crate) store: &'a dyn BlobStore,
    pub(crate) tap: &'a dyn LayerTap,
    /// Another transfer failed for good.
    pub(crate) given_up: &'a AtomicBool,
}

/// A blob that is arriving.
struct Transfer<'a> {
    descriptor: &'a Descriptor,
    /// Nothing once it has ended.
    ingest: Option<Box<dyn BlobIngest + 'a>>,
    stream: Option<Box<dyn LayerStream + 'a>>,
    /// How much there is.
    received: u64,
    /// Whether an earlier run left a part of it.
    resumed: bool,
    progress: Progress<'a>,
}

impl RegistryClient {
    /// Brings one blob into the store, from the first place that has it. It is not here yet.
    pub(crate) fn fetch_blob(
        &self,
        places: &[Repository],
        descriptor: &Descriptor,
        channel: &Channel<'_>,
    ) -> Result<(), RegistryError> {
        if let Some(transfer) = self.try_places(places, descriptor, channel)? {
            return transfer.finish(channel);
        }
        tell_present(self, descriptor);
        channel.tap.present(descriptor);
        Ok(())
    }

    /// The transfer when it is done. Nothing if another process has brought the blob here meanwhile.
    fn try_places<'a>(
        &'a self,
        places: &[Repository],
        descriptor: &'a Descriptor,
        channel: &Channel<'a>,
    ) -> Result<Option<Transfer<'a>>, RegistryError> {
        let begin = |may_tap| Transfer::begin(self, descriptor, channel, may_tap);
        let Some(mut transfer) = begin(true)? else { return Ok(None) };
        let mut places = places.iter().peekable();
        while let Some(place) = places.next() {
            let mut outcome = self.receive(place, &mut transfer, channel);
            if transfer.resumed && matches!(outcome, Err(RegistryError::Content { .. })) {
                // The part that was left may have been the wrong one.
                let Some(anew) = begin(false)? else { return Ok(None) };
                transfer = anew;
                outcome = self.receive(place, &mut transfer, channel);
            }
            match outcome {
                Ok(()) => break,
                Err(error) if error.concerns_place() && places.peek().is_some() => {
                    self.wait(&error, Duration::ZERO);
                    if transfer.ingest.is_none() {
                        let Some(anew) = begin(false)? else { return Ok(None) };
                        transfer = anew;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(transfer))
    }

    /// Receives all of a blob from one place, in as many requests as it takes.
    fn receive(
        &self,
        place: &Repository,
        transfer: &mut Transfer<'_>,
        channel: &Channel<'_>,
    ) -> Result<(), RegistryError> {
        let mut backoff = self.backoff();
        let mut mark = transfer.received;
        while let Err(error) = self.receive_rest(place, transfer, channel) {
            if transfer.received >= mark.saturating_add(ACHIEVEMENT) {
                backoff.reset();
                mark = transfer.received;
            }
            let wait = backoff.next(error.hope(), error.retry_after());
            let Some(wait) = wait else { return Err(error) };
            self.wait_unless(&error, wait, channel.given_up);
        }
        transfer.commit(place)
    }

    /// Asks for what is missing, once.
    fn receive_rest(
        &self,
        place: &Repository,
        transfer: &mut Transfer<'_>,
        channel: &Channel<'_>,
    ) -> Result<(), RegistryError> {
        let descriptor = transfer.descriptor;
        if transfer.received == descriptor.size && descriptor.size > 0 {
            return Ok(());
        }
        let attempt = format!("fetch the blob `{}`", descriptor.digest);
        let path = place.path(&format!("blobs/{}", descriptor.digest));
        let mut call = Call::new(Method::GET, Target::Path(&path), &place.scope("pull"));
        if transfer.received > 0 {
            call = call.with_header(RANGE, format!("bytes={}-", transfer.received));
        }
        let answer = self.request(place, &attempt, &call, &[200, 206, 416])?;
        if answer.status == 416 && transfer.received > 0 {
            // It is shorter than what is here, so what is here is something else.
            return Err(transfer.refuse(place, ContentProblem::OtherDigest));
        }
        let from = match answer.status {
            206 => range_start(&answer),
            200 => Some(0),
            _ => None,
        };
        let Some(from) = from.filter(|from| *from == 0 || *from == transfer.received) else {
            let problem = "the registry sends another part than was asked for".to_owned();
            return Err(RegistryError::Protocol { attempt, place: place.place.clone(), problem });
        };
        let due = descriptor.size.saturating_sub(from);
        let announced = answer.header(&CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        if let Some(announced) = announced.filter(|announced| *announced != due) {
            let (size, announced) = (descriptor.size, announced.saturating_add(from));
            return Err(transfer.refuse(place, ContentProblem::Length { size, announced }));
        }
        self.drain(place, transfer, answer, transfer.received - from, channel)
    }

    /// Takes in a body of which the first bytes are here already.
    fn drain(
        &self,
        place: &Repository,
        transfer: &mut Transfer<'_>,
        answer: Answer,
        known: u64,
        channel: &Channel<'_>,
    ) -> Result<(), RegistryError> {
        let mut body = answer.body.into_reader();
        let mut buffer = vec![0; CHUNK];
        let mut skip = known;
        let mut watch = Pace::new(self.timeouts().stall);
        loop {
            let asked = Instant::now();
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(transfer.incomplete(place, Some(error.into()))),
            };
            if count == 0 {
                return if transfer.received == transfer.descriptor.size {
                    Ok(())
                } else {
                    Err(transfer.incomplete(place, None))
                };
            }
            if channel.given_up.load(Ordering::Relaxed) {
                return Err(RegistryError::GivenUp { digest: transfer.descriptor.digest.clone() });
            }
            if !watch.goes_on(count, asked.elapsed()) {
                let slow = TransportError::Timeout("a body that comes too slowly");
                return Err(transfer.incomplete(place, Some(slow)));
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            let skipped = skip.min(count as u64);
            skip -= skipped;
            // Skipped bytes fit in the buffer, so they fit in its index.
            transfer.take(place, bytes.get(skipped as usize..).unwrap_or_default())?;
        }
    }
}

impl<'a> Transfer<'a> {
    /// Begins with what an earlier run left. Nothing if another process has brought the blob here.
    fn begin(
        client: &'a RegistryClient,
        descriptor: &'a Descriptor,
        channel: &Channel<'a>,
        may_tap: bool,
    ) -> Result<Option<Self>, RegistryError> {
        let digest = &descriptor.digest;
        let failed = |source| RegistryError::Store { action: "take in", digest: digest.clone(), source };
        let begin = || match channel.store.ingest(digest, descriptor.size).map_err(failed)? {
            Intake::Present => Ok(None),
            Intake::Needed(ingest) => Ok(Some(ingest)),
        };
        let Some(mut ingest) = begin()? else { return Ok(None) };
        if ingest.offset() > descriptor.size {
            ingest.discard().map_err(failed)?;
            let Some(anew) = begin()? else { return Ok(None) };
            ingest = anew;
        }
        let received = ingest.offset();
        let stream = if may_tap && received == 0 { channel.tap.open(descriptor) } else { None };
        let progress = Progress::new(&*client.sink, digest.to_string(), Some(descriptor.size));
        let ingest = Some(ingest);
        Ok(Some(Self { descriptor, ingest, stream, received, resumed: received > 0, progress }))
    }

    fn take(&mut self, place: &Repository, bytes: &[u8]) -> Result<(), RegistryError> {
        let (digest, size) = (&self.descriptor.digest, self.descriptor.size);
        if self.received.saturating_add(bytes.len() as u64) > size {
            return Err(self.refuse(place, ContentProblem::TooLong { size }));
        }
        if let Some(ingest) = &mut self.ingest {
            ingest.write_all(bytes).map_err(|source| RegistryError::Store {
                action: "take in",
                digest: digest.clone(),
                source,
            })?;
        }
        if let Some(stream) = &mut self.stream {
            stream
                .write_all(bytes)
                .map_err(|source| RegistryError::Tap { digest: digest.clone(), source })?;
        }
        self.received += bytes.len() as u64;
        self.progress.report(self.received);
        Ok(())
    }

    fn incomplete(&self, place: &Repository, error: Option<TransportError>) -> RegistryError {
        RegistryError::Incomplete {
            digest: self.descriptor.digest.clone(),
            place: place.place.clone(),
            received: self.received,
            size: self.descriptor.size,
            source: error.map(|error| ExchangeProblem::Transport(error).into()),
        }
    }

    /// Ends the transfer and leaves nothing of it.
    fn refuse(&mut self, place: &Repository, problem: ContentProblem) -> RegistryError {
        self.stream = None;
        // What cannot be removed now is removed by the store's own cleaning.
        let _ = self.ingest.take().map(BlobIngest::discard);
        RegistryError::Content { digest: self.descriptor.digest.clone(), place: place.place.clone(), problem }
    }

    /// All bytes have come: has the store verify them.
    fn commit(&mut self, place: &Repository) -> Result<(), RegistryError> {
        let digest = &self.descriptor.digest;
        let Some(ingest) = self.ingest.take() else { return Ok(()) };
        let committed = ingest
            .commit(ContentKind::of(self.descriptor))
            .map_err(|source| RegistryError::Store { action: "keep", digest: digest.clone(), source })?;
        match committed {
            Committed::Kept => Ok(()),
            Committed::Wrong(actual) => {
                let problem =
                    actual.map_or(ContentProblem::OtherDigest, |actual| ContentProblem::Digest { actual });
                Err(self.refuse(place, problem))
            }
        }
    }

    fn finish(self, channel: &Channel<'_>) -> Result<(), RegistryError> {
        let digest = &self.descriptor.digest;
        self.progress.complete(self.received);
        match self.stream {
            None => channel.tap.arrived(self.descriptor),
            Some(stream) => {
                stream.finish().map_err(|source| RegistryError::Tap { digest: digest.clone(), source })?;
            }
        }
        Ok(())
    }
}

/// The first number of `Content-Range: bytes 5-9/10`.
fn range_start(answer: &Answer) -> Option<u64> {
    let range = answer.header(&CONTENT_RANGE)?.trim().strip_prefix("bytes")?.trim_start();
    range.split_once('-')?.0.trim().parse().ok()
}

/// Tells that a piece need not be transferred.
pub(crate) fn tell_present(client: &RegistryClient, descriptor: &Descriptor) {
    client.tell(ImageEvent::Present { item: descriptor.digest.to_string() });
}
