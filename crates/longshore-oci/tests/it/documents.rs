//! Documents as they are found in registries and layouts.

use longshore_oci::{
    Compression, Descriptor, Digest, DocumentError, HealthTest, ImageConfig, Index, Layout,
    MAX_DOCUMENT_BYTES, Manifest, MediaKind, MediaType,
};
use serde_json::{Value, json};

fn descriptor(media_type: &str) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(b"{}"), "size": 2})
}

fn manifest() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG),
        "layers": [descriptor(MediaType::OCI_LAYER_GZIP)],
    })
}

/// A manifest with one field replaced.
fn manifest_with(field: &str, value: Value) -> String {
    let mut manifest = manifest();
    manifest[field] = value;
    manifest.to_string()
}

#[test]
fn manifests_keep_what_they_do_not_know() {
    let text = manifest_with("x-new", json!({"deep": [1, 2]}));
    let read = Manifest::read(None, text.as_bytes()).unwrap();
    assert_eq!(read.total_size(), 4);
    assert_eq!(
        read.layers.first().map(|layer| layer.media_type.kind()),
        Some(MediaKind::Layer(Compression::Gzip))
    );
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
}

#[test]
fn manifests_of_other_engines_are_tolerated() {
    for text in [
        manifest_with("layers", json!([])),
        manifest_with("layers", Value::Null),
        manifest_with("annotations", Value::Null),
        manifest_with("manifests", Value::Null),
        manifest_with("mediaType", json!(MediaType::DOCKER_MANIFEST)),
    ] {
        assert!(Manifest::read(None, text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn documents_that_could_be_two_things_are_refused() {
    let oci = MediaType::parse(MediaType::OCI_MANIFEST).unwrap();
    let docker = MediaType::parse(MediaType::DOCKER_MANIFEST).unwrap();
    let list = MediaType::parse(MediaType::OCI_INDEX).unwrap();
    let both = manifest_with("manifests", json!([]));
    for (announced, text, expected) in [
        (
            None,
            both.clone(),
            "the image manifest has the field `manifests`, which only another kind of document has",
        ),
        (Some(&oci), both, "the image manifest has the field `manifests`"),
        (None, manifest_with("fsLayers", json!([])), "has the field `fsLayers`"),
        (None, manifest_with("mediaType", json!(MediaType::OCI_INDEX)), "says of itself that it is"),
        (Some(&docker), manifest().to_string(), "says of itself that it is"),
        (Some(&list), manifest().to_string(), "says of itself that it is"),
        (None, manifest_with("schemaVersion", json!(1)), "has `schemaVersion` 1, which is not supported"),
        (None, r#"{"layers":[],"layers":[]}"#.to_owned(), "the key `layers` stands twice"),
        (None, r#"{"config":{"size":1,"size":2}}"#.to_owned(), "the key `size` stands twice"),
        (None, "[".repeat(200), "recursion limit"),
        (None, " ".repeat(MAX_DOCUMENT_BYTES + 1), "has 4194305 bytes"),
        (None, "{} {}".to_owned(), "trailing characters"),
        (None, "[]".to_owned(), "cannot read the image manifest"),
        (None, "{}".to_owned(), "missing field"),
    ] {
        let error = Manifest::read(announced, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for field in ["layers", "config"] {
        let mut index = json!({"schemaVersion": 2, "manifests": []});
        assert!(Index::read(None, index.to_string().as_bytes()).is_ok());
        index[field] = json!([]);
        let error = Index::read(None, index.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, DocumentError::Ambiguous { .. }), "{error}");
    }
}

#[test]
fn embedded_content_is_verified() {
    let with_data = |data: &str, size: i64| {
        let mut descriptor = descriptor(MediaType::OCI_EMPTY);
        descriptor["data"] = json!(data);
        descriptor["size"] = json!(size);
        manifest_with("config", descriptor)
    };
    let read = Manifest::read(None, with_data("e30=", 2).as_bytes()).unwrap();
    assert_eq!(read.config.content(), Ok(Some(b"{}".to_vec())));
    assert_eq!(read.artifact_type().as_str(), MediaType::OCI_EMPTY);
    for (data, size, expected) in [
        ("e30=", 3, "wrong descriptor at `/config`: the content has 2 bytes, but `size` is 3"),
        ("e3w=", 2, "wrong descriptor at `/config`: the content does not have the digest"),
        ("e30", 2, "`data` is not base 64"),
        ("e30=", -1, "`size` is negative"),
    ] {
        let error = Manifest::read(None, with_data(data, size).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn content_is_held_against_its_descriptor() {
    let media_type = MediaType::parse(MediaType::OCI_LAYER).unwrap();
    let descriptor = Descriptor::of(media_type, b"layer");
    assert_eq!(descriptor.verify(b"layer"), Ok(()));
    assert!(descriptor.verify(b"laxer").is_err());
    assert!(descriptor.verify(b"layers").is_err());
}

#[test]
fn configurations_have_what_docker_adds() {
    let text = json!({
        "architecture": "arm64", "os": "linux", "variant": "v8", "created": "2024-01-01T00:00:00Z",
        "docker_version": "27.0",
        "config": {
            "Env": ["PATH=/bin"], "Cmd": null, "Entrypoint": ["/app"], "Volumes": {"/data": {}},
            "ExposedPorts": {"80/tcp": {}}, "Labels": null, "OnBuild": ["RUN true"], "Shell": ["/bin/bash", "-c"],
            "Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"], "Interval": 5_000_000_000_i64, "Retries": 3},
            "Hostname": "x",
        },
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"a")]},
        "history": [{"created_by": "ADD", "empty_layer": null}, {"empty_layer": true}],
    });
    let config = ImageConfig::read(text.to_string().as_bytes()).unwrap();
    assert_eq!(config.platform.to_string(), "linux/arm64/v8");
    assert_eq!(config.chain_id().map(|id| id.to_string()), Some(Digest::of(b"a").to_string()));
    assert!(config.extra.contains_key("docker_version") && !config.extra.contains_key("os"));
    let execution = config.config.clone().unwrap();
    let check = execution.healthcheck.clone().unwrap();
    assert_eq!(check.test(), HealthTest::Shell("curl localhost"));
    assert!(execution.volumes.contains("/data") && execution.cmd.is_none());
    assert!(execution.extra.contains_key("Hostname"));
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(ImageConfig::read(written.as_bytes()).unwrap(), config);
    assert!(written.contains(r#""ExposedPorts":{"80/tcp":{}}"#), "{written}");
}

#[test]
fn an_unknown_kind_of_root_file_system_is_refused() {
    let text = r#"{"architecture":"a","os":"b","rootfs":{"type":"diff","diff_ids":[]}}"#;
    let error = ImageConfig::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "the image configuration has `rootfs.type` `diff`, which is not supported");
}

#[test]
fn layouts_have_one_version() {
    let layout = Layout::read(br#"{"imageLayoutVersion":"1.0.0","more":1}"#).unwrap();
    assert_eq!(layout, Layout::current());
    let error = Layout::read(br#"{"imageLayoutVersion":"2.0.0"}"#).unwrap_err().to_string();
    assert_eq!(error, "the image layout has `imageLayoutVersion` `2.0.0`, which is not supported");
    let digest = Digest::of(b"{}");
    assert_eq!(Layout::blob_path(&digest), format!("blobs/sha256/{}", digest.encoded()));
}

#[test]
fn layouts_name_their_images() {
    let mut entry = descriptor(MediaType::OCI_MANIFEST);
    entry["annotations"] = json!({Index::REF_NAME: "v1"});
    let index = json!({"schemaVersion": 2, "manifests": [entry, descriptor(MediaType::OCI_MANIFEST)]});
    let index = Index::read(None, index.to_string().as_bytes()).unwrap();
    assert_eq!((index.named("v1").count(), index.named("v2").count()), (1, 0));
}

#[test]
fn media_types_come_from_headers_too() {
    let header = "application/vnd.oci.image.Manifest.v1+json; charset=utf-8";
    assert_eq!(MediaType::from_content_type(header).unwrap().kind(), MediaKind::Manifest);
    assert!(MediaType::from_content_type("nonsense").is_err());
    let foreign = MediaType::parse("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip").unwrap();
    assert!(foreign.is_nondistributable() && foreign.is_docker());
}
