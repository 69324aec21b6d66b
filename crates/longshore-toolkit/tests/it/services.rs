//! What original actions see of the services.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longshore_toolkit::cache::CacheScopes;
use longshore_toolkit::service::JobGrant;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::client::{Client, grant, identity, path_of, server};
use crate::scene::{Scene, artifact, id, source};

const ARTIFACTS: &str = "ArtifactService";
const CACHES: &str = "CacheService";

/// Begins an artifact; gives where its bytes go.
fn create(client: &Client, name: &str) -> String {
    let message = json!({"name": name, "version": 7, "mime_type": "application/octet-stream"});
    let answer = client.call(&format!("{ARTIFACTS}/CreateArtifact"), message);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["ok"], true);
    path_of(&answer.json()["signed_upload_url"])
}

fn put_block(client: &Client, path: &str, id: &str, content: &[u8]) -> u16 {
    client.send("PUT", &format!("{path}&comp=block&blockid={id}"), "", content).status
}

fn put_list(client: &Client, path: &str, ids: &[&str]) -> u16 {
    let latest: Vec<_> = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
    let latest = latest.concat();
    let list = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{latest}</BlockList>");
    client.send("PUT", &format!("{path}&comp=blocklist"), "", list.as_bytes()).status
}

fn finalize(client: &Client, name: &str, size: usize) -> (u16, Value) {
    let message = json!({"name": name, "size": size.to_string()});
    let answer = client.call(&format!("{ARTIFACTS}/FinalizeArtifact"), message);
    (answer.status, answer.json())
}

fn download(client: &Client, name: &str) -> Vec<u8> {
    let answer = client.call(&format!("{ARTIFACTS}/GetSignedArtifactURL"), json!({"name": name}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = client.send("GET", &path_of(&answer.json()["signed_url"]), "", b"");
    assert_eq!(answer.status, 200);
    answer.body
}

#[test]
fn an_artifact_goes_up_in_blocks_and_comes_down() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let one = Client::new(&server, "run-1", &grant("one"));
    let path = create(&one, "data");
    // Blocks come in any order, one comes again, and one is left over.
    assert_eq!(put_block(&one, &path, "Yg%3D%3D", b"world"), 201);
    assert_eq!(put_block(&one, &path, "YQ%3D%3D", b"wrong"), 201);
    assert_eq!(put_block(&one, &path, "YQ%3D%3D", b"hello "), 201);
    assert_eq!(put_block(&one, &path, "Yw%3D%3D", b"unused"), 201);
    assert_eq!(put_list(&one, &path, &["YQ==", "ZZ=="]), 400);
    assert_eq!(finalize(&one, "data", 11).0, 400);
    let path = create(&one, "data");
    assert_eq!(put_block(&one, &path, "Yg%3D%3D", b"world"), 201);
    assert_eq!(put_block(&one, &path, "YQ%3D%3D", b"hello "), 201);
    assert_eq!(put_list(&one, &path, &["YQ==", "Yg=="]), 201);
    let (status, answer) = finalize(&one, "data", 11);
    assert_eq!((status, answer["ok"].as_bool()), (200, Some(true)));
    // The answer got lost, and the client asks again.
    assert_eq!(finalize(&one, "data", 11).1["artifact_id"], answer["artifact_id"]);

    let two = Client::new(&server, "run-1", &grant("two"));
    let listed = two.call(&format!("{ARTIFACTS}/ListArtifacts"), json!({"name_filter": "data"})).json();
    let row = &listed["artifacts"][0];
    assert_eq!(
        (row["size"].as_str(), row["workflow_job_run_backend_id"].as_str()),
        (Some("11"), Some("one"))
    );
    assert_eq!(row["database_id"], answer["artifact_id"]);
    let digest = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_eq!(row["digest"], digest);
    assert_eq!(download(&two, "data"), b"hello world");
    let conflict = two.call(&format!("{ARTIFACTS}/CreateArtifact"), json!({"name": "data", "version": 7}));
    assert_eq!((conflict.status, conflict.json()["code"].as_str()), (409, Some("already_exists")));
    let filter = json!({"id_filter": answer["artifact_id"]});
    assert_eq!(
        two.call(&format!("{ARTIFACTS}/ListArtifacts"), filter).json()["artifacts"][0]["name"],
        "data"
    );
    assert_eq!(two.call(&format!("{ARTIFACTS}/DeleteArtifact"), json!({"name": "data"})).status, 200);
    assert_eq!(two.call(&format!("{ARTIFACTS}/DeleteArtifact"), json!({"name": "data"})).status, 404);
    assert_eq!(scene.artifacts().list(&id("run-1"), scene.now).unwrap(), []);
}

#[test]
fn retention_is_what_the_client_asks_for_and_no_longer_than_allowed() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    for (name, expires, expected) in
        [("three", Some(scene.later(3)), 3), ("long", Some(scene.later(400)), 90), ("default", None, 90)]
    {
        let mut message = json!({"name": name, "version": 4});
        if let Some(expires) = expires {
            message["expires_at"] = expires.to_string().into();
        }
        let answer = client.call(&format!("{ARTIFACTS}/CreateArtifact"), message).json();
        let path = path_of(&answer["signed_upload_url"]);
        assert_eq!(client.send("PUT", &path, "x-ms-blob-type: BlockBlob\r\n", b"x").status, 201);
        assert_eq!(finalize(&client, name, 1).0, 200);
        let found = scene.artifacts().find(&id("run-1"), &name.parse().unwrap(), scene.now).unwrap().unwrap();
        assert_eq!(found.artifact().expires, scene.later(expected), "{name}");
    }
}

#[test]
fn a_native_artifact_comes_down_as_an_archive_with_ranges() {
    let scene = Scene::new();
    scene.write("f", "content", 0o644);
    scene.artifacts().save_files(&artifact(&scene, "ünï"), &scene.root(), &[source("f", "f")]).unwrap();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    let listed = client.call(&format!("{ARTIFACTS}/ListArtifacts"), json!({})).json();
    // A client would hold the archive against the digest, which is not that of the archive.
    assert!(listed["artifacts"][0].get("digest").is_none());
    let whole = download(&client, "ünï");
    assert_eq!(whole[..4], *b"PK\x03\x04");
    let address = client.call(&format!("{ARTIFACTS}/GetSignedArtifactURL"), json!({"name": "ünï"})).json();
    let path = path_of(&address["signed_url"]);
    let head = client.send("HEAD", &path, "", b"");
    assert_eq!(head.header("content-length"), Some(whole.len().to_string().as_str()));
    assert_eq!(head.header("content-type"), Some("application/zip"));
    assert!(
        head.header("content-disposition").unwrap().contains("UTF-8''%C3%BCn%C3%AF.zip"),
        "{}",
        head.head
    );
    assert!(head.body.is_empty());
    let part = client.send("GET", &path, "Range: bytes=2-5\r\n", b"");
    assert_eq!((part.status, part.body.as_slice()), (206, &whole[2..6]));
    assert_eq!(part.header("content-range"), Some(format!("bytes 2-5/{}", whole.len()).as_str()));
    assert_eq!(client.send("GET", &path, "x-ms-range: bytes=999999-\r\n", b"").status, 416);
}

fn save(client: &Client, key: &str, content: &[u8]) -> Value {
    let message = json!({"key": key, "version": "v"});
    let created = client.call(&format!("{CACHES}/CreateCacheEntry"), message.clone());
    if created.json()["ok"] != true {
        return created.json();
    }
    let path = path_of(&created.json()["signed_upload_url"]);
    assert_eq!(client.send("PUT", &path, "x-ms-blob-type: BlockBlob\r\n", content).status, 201);
    let message = json!({"key": key, "version": "v", "size_bytes": content.len().to_string()});
    client.call(&format!("{CACHES}/FinalizeCacheEntryUpload"), message).json()
}

#[test]
fn caches_are_saved_once_and_found_by_key_and_prefix() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    let find = |key: &str, restore: &[&str]| {
        let message = json!({"key": key, "restore_keys": restore, "version": "v"});
        client.call(&format!("{CACHES}/GetCacheEntryDownloadURL"), message).json()
    };
    assert_eq!(find("k-1", &["k-"])["ok"], false);
    assert_eq!(save(&client, "k-1", b"archive")["ok"], true);
    assert_eq!(save(&client, "k-1", b"other")["code"], "already_exists");
    let found = find("k-2", &["x-", "k-"]);
    assert_eq!((found["ok"].as_bool(), found["matched_key"].as_str()), (Some(true), Some("k-1")));
    let path = path_of(&found["signed_download_url"]);
    // Also if it is evicted between the answer and the download.
    scene.caches(longshore_toolkit::cache::CacheBounds::default()).delete(|_| true).unwrap();
    assert_eq!(client.send("GET", &path, "", b"").body, b"archive");
    assert_eq!(find("k-1", &[])["ok"], false);
    let many: Vec<String> = (0..10).map(|number| format!("k{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(find("k", &many)["code"], "invalid_argument");
    assert_eq!(find("a,b", &[])["code"], "invalid_argument");
}

#[test]
fn an_untrusted_run_reads_caches_and_writes_none() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    save(&Client::new(&server, "run-1", &grant("main")), "k", b"x");
    let caches = CacheScopes::of_ref("refs/pull/7/merge", Some("main"), Some("main"), false);
    let fork = Client::new(&server, "run-1", &JobGrant { caches, ..grant("fork") });
    let refused = save(&fork, "poison", b"x");
    assert_eq!(refused["ok"], false);
    assert!(refused["message"].as_str().unwrap().contains("not write"), "{refused}");
    let message = json!({"key": "k", "version": "v"});
    assert_eq!(fork.call(&format!("{CACHES}/GetCacheEntryDownloadURL"), message).json()["ok"], true);
    assert_eq!(scene.caches(longshore_toolkit::cache::CacheBounds::default()).list().unwrap().len(), 1);
}

#[test]
fn chunked_bodies_and_many_requests_on_one_connection() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    let path = create(&client, "data");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let put = format!(
        "PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(put.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(interim, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"4\r\nhell\r\n1\r\no\r\n0\r\n\r\n").unwrap();
    let unknown =
        "GET /unknown HTTP/1.1\r\nHost: x\r\n\r\nGET /unknown HTTP/1.1\r\nConnection: close\r\n\r\n";
    stream.write_all(unknown.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 201 Created").count(), 1, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 404 Not Found").count(), 2, "{answers}");
    assert_eq!(finalize(&client, "data", 5).0, 200);
    assert_eq!(download(&client, "data"), b"hello");
}

#[test]
fn what_is_aborted_changes_nothing() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    let path = create(&client, "data");
    let cut = |target: &str| {
        let head = format!("PUT {target} HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf");
        client.raw(head.as_bytes())
    };
    cut(&path);
    assert_eq!(finalize(&client, "data", 4).0, 400);
    let path = create(&client, "data");
    cut(&format!("{path}&comp=block&blockid=YQ=="));
    assert_eq!(put_list(&client, &path, &["YQ=="]), 400);
    assert_eq!(put_list(&client, &path, &[]), 201);
    assert_eq!(finalize(&client, "data", 1).0, 400);
    // A job that ends takes its uploads with it.
    create(&client, "data");
    server.revoke(&id("one"));
    assert_eq!(fs::read_dir(scene.path("artifacts/drafts")).unwrap().count(), 0);
    let answer = client.call(&format!("{ARTIFACTS}/ListArtifacts"), json!({}));
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("unauthenticated")));
}

#[test]
fn identities_are_signed_with_the_key_of_the_installation() {
    let scene = Scene::new();
    let one = server(&scene, "run-1");
    let plain = one.environment(&grant("one"));
    assert!(!plain.variables.iter().any(|(name, _)| name.contains("ID_TOKEN")));
    let granted = JobGrant { identity: Some(identity()), ..grant("two") };
    let environment = one.environment(&granted);
    let address =
        &environment.variables.iter().find(|(name, _)| *name == "ACTIONS_ID_TOKEN_REQUEST_URL").unwrap().1;
    let token =
        environment.secrets.iter().find(|(name, _)| *name == "ACTIONS_ID_TOKEN_REQUEST_TOKEN").unwrap();
    let client = Client::new(&one, "run-1", &granted);
    let path = format!("{}&audience=my%20aud", path_of(&address.as_str().into()));
    let ask = |token: &str| client.send("GET", &path, &format!("Authorization: Bearer {token}\r\n"), b"");
    // The token for artifacts is not one for identities.
    assert_eq!(ask(&client.token).status, 401);
    let answer = ask(token.1.expose());
    assert_eq!(answer.status, 200, "{answer:?}");
    let made = answer.json()["value"].as_str().unwrap().to_owned();
    let (text, signature) = made.rsplit_once('.').unwrap();
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap()).unwrap();
    assert_eq!(claims["sub"], "repo:octo/repo:ref:refs/heads/main");
    assert_eq!((claims["aud"].as_str(), claims["sha"].as_str()), (Some("my aud"), Some("abc")));
    assert_eq!(claims["iss"], format!("http://{}", one.address()));

    let configuration = client.send("GET", "/.well-known/openid-configuration", "", b"").json();
    let keys = client.send("GET", &path_of(&configuration["jwks_uri"]), "", b"").json();
    let number = |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().unwrap()).unwrap();
    let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).unwrap();
    // The next run has the same key.
    let two = server(&scene, "run-2");
    let client = Client::new(&two, "run-2", &grant("one"));
    assert_eq!(client.send("GET", "/.well-known/jwks", "", b"").json(), keys);
}

#[test]
fn tokens_are_believed_for_their_own_run_job_and_address_only() {
    let scene = Scene::new();
    let (one, two) = (server(&scene, "run-1"), server(&scene, "run-2"));
    let mine = Client::new(&one, "run-1", &grant("one"));
    let other = Client::new(&two, "run-2", &grant("one"));
    let list = format!("{ARTIFACTS}/ListArtifacts");
    let tampered = {
        let (text, signature) = mine.token.rsplit_once('.').unwrap();
        let (head, claims) = text.split_once('.').unwrap();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let claims = URL_SAFE_NO_PAD.encode(claims.replace(":one\"", ":two\""));
        format!("{head}.{claims}.{signature}")
    };
    for token in ["", "x", "a.b.c", other.token.as_str(), tampered.as_str(), &format!("{}x", mine.token)] {
        let client = Client {
            token: token.to_owned(),
            run: "run-1".to_owned(),
            ..Client::new(&one, "", &grant("one"))
        };
        assert_eq!(client.call(&list, json!({})).status, 401, "{token}");
    }
    assert_eq!(mine.call(&list, json!({})).status, 200);
    assert_eq!(mine.call(&list, json!({"workflow_run_backend_id": "run-2"})).status, 403);
    let foreign = json!({"name": "x", "workflow_job_run_backend_id": "two"});
    assert_eq!(mine.call(&format!("{ARTIFACTS}/CreateArtifact"), foreign).status, 403);
    for name in ["..", "a/b", "../x", "", "a:b"] {
        let answer = mine.call(&format!("{ARTIFACTS}/CreateArtifact"), json!({"name": name}));
        assert_eq!(answer.status, 400, "{name}");
    }
    // An address is for one thing, one way, and its signature is not to be changed.
    let path = create(&mine, "x");
    assert_eq!(mine.send("GET", &path, "", b"").status, 403);
    assert_eq!(mine.send("PUT", &path.replace("sig=", "sig=A"), "", b"x").status, 403);
    assert_eq!(mine.send("PUT", &path.replace("se=", "se=9"), "", b"x").status, 403);
    assert_eq!(mine.send("PUT", path.split('?').next().unwrap(), "", b"x").status, 403);
    assert_eq!(other.send("PUT", &path, "", b"x").status, 403);
    assert_eq!(mine.send("PUT", &path, "", b"x").status, 201);
}

#[test]
fn malformed_requests_are_refused() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)), 431),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)), 431),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(100)), 431),
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), 400),
        ("GET /../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 404),
    ] {
        assert_eq!(client.raw(request.as_bytes()).status, status, "{}", &request[..20.min(request.len())]);
    }
    let long = json!({"name": "x".repeat(2 << 20)});
    assert_eq!(client.call(&format!("{ARTIFACTS}/CreateArtifact"), long).status, 400);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", client.token);
    let path = format!("/twirp/github.actions.results.api.v1.{ARTIFACTS}/ListArtifacts");
    assert_eq!(client.send("POST", &path, &headers, deep.as_bytes()).status, 400);
    assert_eq!(client.call("NoService/No", json!({})).status, 404);
}

#[test]
fn the_server_ends_with_its_handle() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let address = server.address();
    // Idle connections, more than are served at once, do not hold it up.
    let mut idle: Vec<_> = (0..80).map(|_| TcpStream::connect(address).unwrap()).collect();
    idle[0].write_all(b"GET / HT").unwrap();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    for stream in &mut idle {
        let mut rest = Vec::new();
        // Closed, or reset where something was left unread.
        let _ = stream.read_to_end(&mut rest);
    }
}

#[test]
fn older_actions_use_the_first_version_of_the_cache_service() {
    let scene = Scene::new();
    let server = server(&scene, "run-1");
    let client = Client::new(&server, "run-1", &grant("one"));
    let send = |client: &Client, method: &str, path: &str, extra: &str, body: &str| {
        let headers = format!("Authorization: Bearer {}\r\n{extra}", client.token);
        client.send(method, &format!("/_apis/artifactcache/{path}"), &headers, body.as_bytes())
    };
    let lookup = "cache?keys=k-2%2Ck-&version=v";
    assert_eq!(send(&client, "GET", lookup, "", "").status, 204);
    let reserved = send(&client, "POST", "caches", "", r#"{"key":"k-1","version":"v","cacheSize":11}"#);
    assert_eq!(reserved.status, 201, "{reserved:?}");
    let path = format!("caches/{}", reserved.json()["cacheId"]);
    let other = Client::new(&server, "run-1", &grant("two"));
    assert_eq!(send(&other, "POST", "caches", "", r#"{"key":"k-1","version":"v"}"#).status, 409);
    assert_eq!(send(&other, "PATCH", &path, "Content-Range: bytes 0-0/*\r\n", "x").status, 404);
    let put = |range: &str, body| {
        send(&client, "PATCH", &path, &format!("Content-Range: {range}\r\n"), body).status
    };
    assert_eq!(put("bytes 6-10/*", "world"), 204);
    assert_eq!(send(&client, "POST", &path, "", r#"{"size":11}"#).status, 400);
    assert_eq!(put("lines 0-5", "hello "), 400);
    assert_eq!(put("bytes 0-5/*", "hello "), 204);
    assert_eq!(send(&client, "POST", &path, "", r#"{"size":11}"#).status, 204);
    let found = send(&client, "GET", lookup, "", "").json();
    assert_eq!(found["cacheKey"], "k-1");
    assert_eq!(client.send("GET", &path_of(&found["archiveLocation"]), "", b"").body, b"hello world");
    assert_eq!(send(&client, "POST", "caches", "", r#"{"key":"k-1","version":"v"}"#).status, 409);
    let caches = CacheScopes { write: None, read: vec!["refs/heads/main".to_owned()] };
    let fork = Client::new(&server, "run-1", &JobGrant { caches, ..grant("fork") });
    assert_eq!(send(&fork, "POST", "caches", "", r#"{"key":"x","version":"v"}"#).status, 403);
    assert_eq!(send(&fork, "GET", lookup, "", "").status, 200);
}
