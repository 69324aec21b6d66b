//! What tests of the client stand on: a store, a client in a hurry, an image, and a registry that has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_event::{EventSink, ImageEvent};
use longshore_oci::{Descriptor, Digest, MediaType, Platform, Reference};
use longshore_registry::{
    ClientOptions, LeasedStore, NoTap, RegistryClient, RegistryError, ResolvedImage, Retries, Timeouts,
};
use longshore_store::{Lease, Store};
use serde_json::json;

use crate::server::{Exchange, Server, Then};

/// Collects events.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<ImageEvent>>);

impl EventSink for Events {
    fn image(&self, event: ImageEvent) {
        self.0.lock().unwrap().push(event);
    }
}

pub(crate) struct Context {
    directory: tempfile::TempDir,
    pub(crate) store: Store,
    lease: Lease,
    pub(crate) events: Arc<Events>,
    pub(crate) client: RegistryClient,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self::with(ClientOptions::default())
    }

    /// A client that waits for nobody.
    pub(crate) fn with(options: ClientOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("store")).unwrap();
        let lease = store.lease("test").unwrap();
        let events: Arc<Events> = Arc::default();
        let patient = Duration::from_secs(30);
        let options = ClientOptions {
            timeouts: Timeouts {
                connect: patient,
                response: Duration::from_millis(400),
                stall: Duration::from_millis(200),
                document: Duration::from_millis(800),
                commit: patient,
            },
            retries: Retries {
                attempts: 2,
                delay: Duration::from_millis(1),
                longest: Duration::from_secs(1),
            },
            ..options
        };
        let client = RegistryClient::new(options, Arc::<Events>::clone(&events));
        Self { directory, store, lease, events, client }
    }

    pub(crate) fn leased(&self) -> LeasedStore<'_> {
        LeasedStore::new(&self.store, &self.lease)
    }

    pub(crate) fn pull(&self, name: &str) -> Result<ResolvedImage, RegistryError> {
        let reference = Reference::parse(name).unwrap();
        self.client.pull(&reference, &Platform::new("linux", "amd64"), &self.leased(), &NoTap)
    }

    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.store.contains(digest).unwrap().is_some()
    }

    /// How many partial or unfinished pieces lie in the store.
    pub(crate) fn leftovers(&self) -> usize {
        let root = self.directory.path().join("store");
        ["partials", "ingests"]
            .iter()
            .filter_map(|name| std::fs::read_dir(root.join(name)).ok())
            .map(Iterator::count)
            .sum()
    }

    pub(crate) fn retried(&self) -> usize {
        let events = self.events.0.lock().unwrap();
        events.iter().filter(|event| matches!(event, ImageEvent::Retried { .. })).count()
    }

    pub(crate) fn all_events(&self) -> String {
        format!("{:?}", self.events.0.lock().unwrap())
    }
}

/// The whole chain of an error, as people see it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(each) = source {
        text += &format!(": {each}");
        source = each.source();
    }
    text
}

/// Content by digest, and what tags stand for.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) content: HashMap<String, (String, Vec<u8>)>,
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) root: Option<Descriptor>,
}

impl Image {
    /// An image for linux/amd64 with these layers, and an index above it.
    pub(crate) fn new(layers: &[&[u8]]) -> Self {
        let mut image = Self::default();
        image.layers =
            layers.iter().map(|layer| image.add("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let diff_ids: Vec<_> = image.layers.iter().map(|layer| layer.digest.to_string()).collect();
        let config = json!({"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = image.add(MediaType::OCI_CONFIG, config.to_string().as_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST,
            "config": config, "layers": image.layers});
        let mut manifest = image.add(MediaType::OCI_MANIFEST, manifest.to_string().as_bytes());
        manifest.platform = Some(Platform::new("linux", "amd64"));
        image.index(&manifest);
        image
    }

    /// Puts an index above a document, which becomes the root.
    pub(crate) fn index(&mut self, entry: &Descriptor) {
        let index =
            json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": [entry]}).to_string();
        self.root = Some(self.add(MediaType::OCI_INDEX, index.as_bytes()));
    }

    pub(crate) fn add(&mut self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::parse(media_type).unwrap(), bytes);
        self.content.insert(descriptor.digest.to_string(), (media_type.to_owned(), bytes.to_vec()));
        descriptor
    }

    pub(crate) fn root(&self) -> Descriptor {
        self.root.clone().unwrap()
    }

    /// Answers as a good registry does.
    pub(crate) fn serve(&self, exchange: &mut Exchange) -> Then {
        let name = exchange.path.rsplit('/').next().unwrap_or_default().to_owned();
        if exchange.path == "/v2/" {
            return exchange.answer(200, &[], b"{}");
        }
        let root = self.root().digest.to_string();
        let digest = if name == "latest" || name == "v1" { root } else { name };
        let Some((media_type, bytes)) = self.content.get(&digest) else {
            let words = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"nothing\u001b[2J here"}]}"#;
            return exchange.answer(404, &[], words);
        };
        let headers = [("Docker-Content-Digest", digest.as_str()), ("Content-Type", media_type.as_str())];
        let range = exchange.header("range").and_then(|range| range.strip_prefix("bytes="));
        let Some(from) = range.and_then(|range| range.trim_end_matches('-').parse::<usize>().ok()) else {
            return exchange.answer(200, &headers, bytes);
        };
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        exchange.answer(206, &[headers[0], headers[1], ("Content-Range", &range)], &bytes[from..])
    }

    /// A registry that has this image, except for what `special` answers.
    pub(crate) fn server(
        &self,
        special: impl Fn(&mut Exchange) -> Option<Then> + Send + Sync + 'static,
    ) -> Server {
        let image = self.clone();
        Server::start(move |exchange| special(exchange).unwrap_or_else(|| image.serve(exchange)))
    }
}
