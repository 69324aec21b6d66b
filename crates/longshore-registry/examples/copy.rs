//! Pulls an image into a store, pushes it from there, or logs in: for trying the client against real registries.
//!
//! `copy pull STORE REFERENCE`, `copy push STORE REFERENCE TARGET`, `copy login REGISTRY USER PASSWORD`,
//! `copy tags|delete REFERENCE`, `copy catalog REGISTRY`. Credentials are those of `/tmp/longshore-copy.json`.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Instant;

use longshore_core::Secret;
use longshore_event::{EventSink, ImageEvent};
use longshore_oci::{Platform, Reference};
use longshore_registry::{
    BlobOrigins, ClientOptions, CredentialSources, CredentialStore, LeasedStore, NoTap, RegistryClient,
};
use longshore_store::Store;

struct Talk;

impl EventSink for Talk {
    fn image(&self, event: ImageEvent) {
        if !matches!(event, ImageEvent::Transferred { .. }) {
            let _ = writeln!(io::stderr(), "{event:?}");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let sources = CredentialSources { own: None, docker: Some("/tmp/longshore-copy.json".into()) };
    let options = ClientOptions { credentials: CredentialStore::new(sources), ..ClientOptions::default() };
    let client = RegistryClient::new(options, Arc::new(Talk));
    let platform = Platform::new("linux", "amd64");
    let began = Instant::now();
    match words[..] {
        ["pull", store, reference] => {
            let store = Store::open(store)?;
            let lease = store.lease("copy")?;
            client.pull(&reference.parse()?, &platform, &LeasedStore::new(&store, &lease), &NoTap)?;
        }
        ["push", store, reference, target] => {
            let store = Store::open(store)?;
            let lease = store.lease("copy")?;
            let leased = LeasedStore::new(&store, &lease);
            let reference: Reference = reference.parse()?;
            let image = client.pull(&reference, &platform, &leased, &NoTap)?;
            let origins: BlobOrigins =
                image.manifest.layers.iter().map(|layer| (layer.digest.clone(), reference.clone())).collect();
            client.push(&leased, &image.manifest_descriptor, &target.parse()?, &origins)?;
        }
        ["login", registry, user, password] => {
            writeln!(io::stderr(), "{:?}", client.login(registry, user, Secret::new(password.to_owned()))?)?;
        }
        ["logout", registry] => writeln!(io::stderr(), "{:?}", client.logout(registry)?)?,
        ["tags", reference] => writeln!(io::stderr(), "{:?}", client.tags(&reference.parse()?)?)?,
        ["catalog", registry] => writeln!(io::stderr(), "{:?}", client.catalog(registry)?)?,
        ["delete", reference] => client.delete(&reference.parse()?)?,
        _ => return Err("see the head of the file".into()),
    }
    writeln!(io::stderr(), "{:?}", began.elapsed())?;
    Ok(())
}
