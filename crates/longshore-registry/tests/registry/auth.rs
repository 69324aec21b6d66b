//! Who we are to registries, and who must not learn it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use longshore_core::Secret;
use longshore_oci::Reference;
use longshore_registry::{ClientOptions, CredentialSources, CredentialStore, Fault, Keeper, RegistryError};

use crate::context::{Context, Image, chain};
use crate::server::{Exchange, Server, Then};

/// A context whose Docker configuration knows `user:geheim` for a registry.
fn known(registry: &str) -> (tempfile::TempDir, Context) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{registry}":{{"auth":"dXNlcjpnZWhlaW0="}}}}}}"#)).unwrap();
    let sources = CredentialSources { own: None, docker: Some(path) };
    let options = ClientOptions { credentials: CredentialStore::new(sources), ..ClientOptions::default() };
    (directory, Context::with(options))
}

const BASIC: &str = "Basic dXNlcjpnZWhlaW0=";

fn no_secret_shows(context: &Context, text: &str) {
    for shown in [text, &context.all_events()] {
        assert!(!shown.contains("geheim") && !shown.contains("dXNlcjpnZWhlaW0"), "{shown}");
    }
}

/// Answers `401` unless the right credentials come.
fn guard(exchange: &mut Exchange, wanted: &str, challenge: &str) -> Option<Then> {
    if exchange.header("authorization") == Some(wanted) {
        return None;
    }
    let words = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    Some(exchange.answer(401, &[("WWW-Authenticate", challenge)], words))
}

#[test]
fn a_name_and_password_are_sent_when_asked_for() {
    let image = Image::new(&[b"layer"]);
    let server = image.server(|exchange| guard(exchange, BASIC, "Basic realm=\"x\""));
    let (_directory, context) = known(&server.authority());
    context.pull(&format!("{}/a:v1", server.authority())).unwrap();
    no_secret_shows(&context, "");
    // The challenge came once; later requests know.
    let requests = server.log();
    assert_eq!(requests.iter().filter(|line| line.contains("HEAD")).count(), 2, "{requests:?}");

    let stranger = Context::new();
    let error = stranger.pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert!(error.is_denial() && error.fault() == Fault::User);
    assert!(chain(&error).contains("UNAUTHORIZED: authentication required"), "{}", chain(&error));
}

/// A token service that gives `token` for the right scope, and a registry that wants it.
fn token_pair(image: &Image, answer: &'static str) -> (Server, Server, Arc<Mutex<Vec<Option<String>>>>) {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let log = Arc::clone(&seen);
    let service = Server::start(move |exchange| {
        log.lock().unwrap().push(exchange.header("authorization").map(str::to_owned));
        exchange.answer(200, &[], answer.as_bytes())
    });
    let realm = format!("http://{}/token", service.authority());
    let server = image.server(move |exchange| {
        let challenge =
            format!("Bearer realm=\"{realm}\",service=\"reg\",scope=\"repository:team/app:pull\"");
        guard(exchange, "Bearer t0ken", &challenge)
    });
    (server, service, seen)
}

#[test]
fn a_token_is_fetched_once_and_only_its_service_learns_who_we_are() {
    let image = Image::new(&[b"layer", b"other"]);
    for answer in [r#"{"token":"t0ken"}"#, r#"{"access_token":"t0ken","expires_in":3600}"#] {
        let (server, service, seen) = token_pair(&image, answer);
        let (_directory, context) = known(&server.authority());
        context.pull(&format!("{}/team/app:v1", server.authority())).unwrap();
        assert_eq!(
            service.log(),
            ["GET /token?service=reg&scope=repository%3Ateam%2Fapp%3Apull&account=user"]
        );
        assert_eq!(*seen.lock().unwrap(), [Some(BASIC.to_owned())]);
        let (server, _service, seen) = token_pair(&image, answer);
        Context::new().pull(&format!("{}/team/app:v1", server.authority())).unwrap();
        assert_eq!(*seen.lock().unwrap(), [None]);
    }
}

#[test]
fn services_that_give_no_token_are_told_of() {
    let image = Image::new(&[b"layer"]);
    for (answer, words) in [
        ("", "cannot be read"),
        ("{}", "has none"),
        (r#"{"token":""}"#, "has none"),
        (r#"{"token":"a\r\nX: y"}"#, "cannot be sent in a header"),
        (r#"{"token":"wrong"}"#, "UNAUTHORIZED"),
    ] {
        let (server, _service, _) = token_pair(&image, answer);
        let (_directory, context) = known(&server.authority());
        let error = context.pull(&format!("{}/team/app:v1", server.authority())).unwrap_err();
        assert!(chain(&error).contains(words), "{}", chain(&error));
        no_secret_shows(&context, &chain(&error));
    }
    for realm in ["", "ftp://x/", "http://a b/", "http://u:p@127.0.0.1/"] {
        let server = image.server(move |exchange| {
            guard(exchange, "never", &format!("Bearer realm=\"{realm}\",service=\"s\""))
        });
        let error = Context::new().pull(&format!("{}/a:v1", server.authority())).unwrap_err();
        assert!(chain(&error).contains("no address of a token service"), "{}", chain(&error));
    }
}

#[test]
fn a_token_that_has_expired_is_replaced() {
    let image = Image::new(&[b"layer"]);
    let given = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&given);
    let service = Server::start(move |exchange| {
        let token = format!(r#"{{"token":"t{}"}}"#, counter.fetch_add(1, Ordering::SeqCst) + 1);
        exchange.answer(200, &[], token.as_bytes())
    });
    let realm = format!("http://{}/", service.authority());
    let server = image.server(move |exchange| {
        // For blobs only the second token will do.
        let wanted = if exchange.path.contains("/blobs/") { "Bearer t2" } else { "Bearer t1" };
        guard(exchange, wanted, &format!("Bearer realm=\"{realm}\""))
    });
    Context::new().pull(&format!("{}/a:v1", server.authority())).unwrap();
    assert_eq!(given.load(Ordering::SeqCst), 2);
}

#[test]
fn redirects_take_no_credentials_along() {
    let image = Image::new(&[b"layer"]);
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let log = Arc::clone(&seen);
    let elsewhere = image.server(move |exchange| {
        log.lock().unwrap().push(exchange.header("authorization").map(str::to_owned));
        None
    });
    let target = elsewhere.authority();
    let server = image.server(move |exchange| {
        guard(exchange, BASIC, "Basic realm=\"x\"").or_else(|| {
            let location = format!("http://{target}{}", exchange.path);
            exchange.path.contains("/blobs/").then(|| exchange.answer(307, &[("Location", &location)], b""))
        })
    });
    let (_directory, context) = known(&server.authority());
    context.pull(&format!("{}/a:v1", server.authority())).unwrap();
    assert_eq!(*seen.lock().unwrap(), [None, None]);
}

#[test]
fn a_challenge_from_where_a_redirect_leads_is_not_answered() {
    let image = Image::new(&[b"layer"]);
    let elsewhere = image.server(|exchange| guard(exchange, "never", "Basic realm=\"x\""));
    let location = format!("http://{}/x", elsewhere.authority());
    let server = image.server(move |exchange| {
        exchange.path.contains("/blobs/").then(|| exchange.answer(302, &[("Location", &location)], b""))
    });
    let (_directory, context) = known(&server.authority());
    let error = context.pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert!(error.is_denial());
    assert_eq!(elsewhere.log().len(), 1);
}

#[test]
fn a_login_is_tried_before_it_is_kept() {
    let server = Server::start(|exchange| {
        guard(exchange, BASIC, "Basic realm=\"x\"").unwrap_or_else(|| exchange.answer(200, &[], b"{}"))
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker/config.json");
    let sources = CredentialSources { own: None, docker: Some(path.clone()) };
    let options = ClientOptions { credentials: CredentialStore::new(sources), ..ClientOptions::default() };
    let context = Context::with(options);
    let (client, registry) = (&context.client, server.authority());
    let secret = |text: &str| Secret::new(text.to_owned());
    let error = client.login(&registry, "user", secret("falsch")).unwrap_err();
    assert!(matches!(error, RegistryError::Login { .. }) && error.fault() == Fault::User, "{error}");
    assert!(!path.exists());
    assert_eq!(client.login_again(&registry).unwrap(), None);
    let kept = client.login(&format!("http://{registry}/v1/"), "user", secret("geheim")).unwrap();
    assert_eq!(kept, Keeper::File(path.clone()));
    assert_eq!(client.login_again(&registry).unwrap().as_deref(), Some("user"));
    let reference = Reference::parse(&format!("{registry}/a")).unwrap();
    client.tags(&reference).unwrap();
    assert!(client.logout(&registry).unwrap());
    assert!(!client.logout(&registry).unwrap());
    assert!(!std::fs::read_to_string(&path).unwrap().contains(&registry));
}

#[test]
fn a_broken_configuration_is_told_of_when_it_matters() {
    let image = Image::new(&[b"layer"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, "{").unwrap();
    let sources = CredentialSources { own: None, docker: Some(path) };
    let options = ClientOptions { credentials: CredentialStore::new(sources), ..ClientOptions::default() };
    let context = Context::with(options);
    let open = image.server(|_| None);
    context.pull(&format!("{}/a:v1", open.authority())).unwrap();
    let closed = image.server(|exchange| guard(exchange, BASIC, "Basic realm=\"x\""));
    let error = context.pull(&format!("{}/b:v1", closed.authority())).unwrap_err();
    assert!(error.fault() == Fault::Config && chain(&error).contains("config.json"), "{}", chain(&error));
}

#[test]
fn a_helper_that_is_gone_keeps_nobody_from_what_everybody_may_have() {
    let image = Image::new(&[b"layer"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, r#"{"credsStore":"of-another-machine"}"#).unwrap();
    let sources = CredentialSources { own: None, docker: Some(path) };
    let pull = |server: &Server| {
        let credentials = CredentialStore::new(sources.clone());
        Context::with(ClientOptions { credentials, ..ClientOptions::default() })
            .pull(&format!("{}/team/app:v1", server.authority()))
    };
    let (server, _service, seen) = token_pair(&image, r#"{"token":"t0ken"}"#);
    pull(&server).unwrap();
    assert_eq!(*seen.lock().unwrap(), [None]);
    // Where somebody must be known, the helper is what is wrong.
    let (server, _service, _) = token_pair(&image, r#"{"token":"of-nobody"}"#);
    let error = pull(&server).unwrap_err();
    assert!(chain(&error).contains("docker-credential-of-another-machine"), "{}", chain(&error));
}
