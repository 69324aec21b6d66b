//! Fetching images from registries, for the engine and for verbs: how registries are reached is known here alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use longshore_engine::{EngineError, Fault, Login, PullSpec};
use longshore_engine_native::Fetch;
use longshore_event::{EventSink, ImageEvent};
use longshore_image::{Images, PullError, PullOptions, PullPolicy, UnpackOptions, Unpacker};
use longshore_oci::Reference;
use longshore_registry::{
    ClientOptions, Credential, CredentialSources, CredentialStore, Proxies, RegistryClient, RegistryRule,
};
use longshore_store::Store;

use crate::exit::Blame;
use crate::failure::Explained as _;
use crate::wiring::Wiring;

/// How registries are reached, by settings and environment.
#[derive(Debug, Clone)]
pub(crate) struct Registries {
    pub(crate) credentials: CredentialSources,
    pub(crate) rules: Vec<RegistryRule>,
    pub(crate) offline: bool,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) proxies: Proxies,
}

impl Registries {
    /// A client that tells of transfers.
    pub(crate) fn client(&self, sink: Arc<dyn EventSink>) -> RegistryClient {
        self.client_as(None, sink)
    }

    /// The same as somebody else to one registry.
    fn client_as(&self, login: Option<(&str, &Login)>, sink: Arc<dyn EventSink>) -> RegistryClient {
        let kept = CredentialStore::new(self.credentials.clone());
        let credentials = match login {
            Some((registry, Login { user, password })) => {
                let (user, password) = (user.clone(), password.clone());
                kept.with(registry, Credential::Password { user, password })
            }
            None => kept,
        };
        let options = ClientOptions {
            credentials,
            rules: self.rules.clone(),
            offline: self.offline,
            root_certificates: self.root_certificates.clone(),
            proxies: self.proxies.clone(),
            ..ClientOptions::default()
        };
        RegistryClient::new(options, sink)
    }
}

/// How layers are unpacked as they come, if they are. Those of a user without subordinate ids are not, who may have some
/// when a container is made: the engine unpacks them then.
pub(crate) fn unpack_options(wanted: bool) -> Option<UnpackOptions> {
    let options = UnpackOptions::for_this_process();
    (wanted && options.unpacker != Unpacker::User).then_some(options)
}

/// Fetches images into a store, for the engine.
#[derive(Debug)]
pub(crate) struct RegistryFetch {
    pub(crate) store: PathBuf,
    pub(crate) registries: Registries,
}

/// Hands events on to somebody who is only borrowed: a client wants to own who it tells.
struct Relay(Sender<ImageEvent>);

impl EventSink for Relay {
    fn image(&self, event: ImageEvent) {
        // Who listens stays until the last relay is gone.
        let _ = self.0.send(event);
    }
}

impl Fetch for RegistryFetch {
    fn fetch(&self, image: &Reference, spec: &PullSpec, sink: &dyn EventSink) -> Result<(), EngineError> {
        let store = Store::open(&self.store).map_err(|error| failed(image, error.into()))?;
        let images = Images::open(store);
        let options = PullOptions {
            platform: spec.platform.clone(),
            policy: PullPolicy::Always,
            unpack: unpack_options(true),
            now: Wiring::now(),
            sink,
        };
        let (tell, told) = channel();
        let pulled = std::thread::scope(|scope| {
            scope.spawn(move || told.into_iter().for_each(|event| sink.image(event)));
            // The client goes at the end of this, and with it the last who tells.
            let login = spec.login.as_ref().map(|login| (image.domain(), login));
            let client = self.registries.client_as(login, Arc::new(Relay(tell)));
            images.pull(image, &options, &client)
        });
        pulled.map(drop).map_err(|error| failed(image, error))
    }
}

fn failed(image: &Reference, error: PullError) -> EngineError {
    let fault = match (error.blame(), &error) {
        (_, PullError::Registry(error)) if error.is_not_found() => Fault::NotFound,
        (Blame::Environment, _) => Fault::Environment,
        (Blame::Remote, _) => Fault::Remote,
        (Blame::Bug, _) => Fault::Bug,
        _ => Fault::Invalid,
    };
    let help = error.help();
    let failure = EngineError::new(fault, format!("failed to pull the image {}", image.familiar()));
    EngineError { help, ..failure.because(error) }
}
