//! The client against the registry of the distribution project, where its program is installed (Debian:
//! `docker-registry`).

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use longshore_core::Secret;
use longshore_oci::{Platform, Reference};
use longshore_registry::{
    BlobOrigins, ClientOptions, CredentialSources, CredentialStore, LeasedStore, NoTap, RegistryError,
};

use crate::context::{Context, Image};

/// `user` with the password `geheim`.
const PASSWORDS: &str = "user:$2y$05$83c7oaDrbxgLLAPOurHbN.c/hcW03qUKTMH0pkb9.9l1STxsfPDG6\n";

struct Registry {
    child: Child,
    authority: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A registry that keeps its content in a directory. Nothing if there is no such program.
fn start(directory: &Path) -> Option<Registry> {
    let authority = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let root = directory.display();
    std::fs::write(directory.join("passwords"), PASSWORDS).unwrap();
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {root}/content}}\n  \
         delete: {{enabled: true}}\nhttp: {{addr: '{authority}'}}\nauth:\n  htpasswd: {{realm: test, path: {root}/passwords}}\n"
    );
    std::fs::write(directory.join("config.yml"), config).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(directory.join("config.yml")).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    let mut registry = Registry { child, authority };
    while TcpStream::connect(&registry.authority).is_err() {
        assert!(registry.child.try_wait().unwrap().is_none(), "the registry does not start");
        std::thread::yield_now();
    }
    Some(registry)
}

#[test]
fn what_is_pushed_is_pulled_again() {
    let directory = tempfile::tempdir().unwrap();
    let Some(registry) = start(directory.path()) else {
        let _ = writeln!(std::io::stderr(), "skipped: the program `docker-registry` is not installed");
        return;
    };
    let sources = CredentialSources { own: None, docker: Some(directory.path().join("config.json")) };
    let options = ClientOptions { credentials: CredentialStore::new(sources), ..ClientOptions::default() };
    let context = Context::with(options);
    let client = &context.client;
    let image = Image::new(&[b"one", &vec![7; 3_000_000]]);
    image.content.values().for_each(|(_, bytes)| drop(context.store.put_blob(bytes).unwrap()));
    let name = |rest: &str| Reference::parse(&format!("{}/{rest}", registry.authority)).unwrap();

    let push = |rest: &str, origins: &BlobOrigins| {
        client.push(&context.leased(), &image.root(), &name(rest), origins)
    };
    assert!(push("team/app:v1", &BlobOrigins::new()).unwrap_err().is_denial());
    let secret = |text: &str| Secret::new(text.to_owned());
    let error = client.login(&registry.authority, "user", secret("falsch")).unwrap_err();
    assert!(matches!(error, RegistryError::Login { .. }), "{error}");
    client.login(&registry.authority, "user", secret("geheim")).unwrap();
    push("team/app:v1", &BlobOrigins::new()).unwrap();
    let origins = image.layers.iter().map(|layer| (layer.digest.clone(), name("team/app"))).collect();
    push("team/copy:v2", &origins).unwrap();
    assert_eq!(client.tags(&name("team/copy")).unwrap(), ["v2"]);
    assert_eq!(client.catalog(&registry.authority).unwrap(), ["team/app", "team/copy"]);

    let other = Context::new();
    let lease = other.store.lease("pull").unwrap();
    let pulled = client
        .pull(
            &name("team/copy:v2"),
            &Platform::new("linux", "amd64"),
            &LeasedStore::new(&other.store, &lease),
            &NoTap,
        )
        .unwrap();
    assert_eq!(pulled.root.digest, image.root().digest);
    assert!(image.layers.iter().all(|layer| other.has(&layer.digest)));

    client.delete(&name("team/copy").with_digest(image.root().digest).unwrap()).unwrap();
    assert!(client.head(&name("team/copy:v2")).unwrap().is_none());
    assert!(client.logout(&registry.authority).unwrap());
}
