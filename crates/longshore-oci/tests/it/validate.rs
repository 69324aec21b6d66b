//! Documents held against the specification.

use longshore_oci::{Digest, ImageConfig, Index, Manifest, MediaType, Problem, validate};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A valid document of each kind.
fn valid(media_type: &str) -> Value {
    let digest = Digest::of(b"{}");
    let layer = json!({"mediaType": MediaType::OCI_LAYER_GZIP, "digest": digest, "size": 2});
    match media_type {
        MediaType::OCI_MANIFEST | MediaType::DOCKER_MANIFEST => json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": MediaType::OCI_CONFIG, "digest": digest, "size": 2, "data": "e30="},
            "layers": [layer],
            "annotations": {"a": ""},
        }),
        MediaType::OCI_INDEX => json!({
            "schemaVersion": 2,
            "manifests": [{
                "mediaType": MediaType::OCI_MANIFEST, "digest": digest, "size": 2,
                "platform": {"os": "linux", "architecture": "arm", "variant": "v7", "os.features": ["a"]},
            }],
        }),
        MediaType::OCI_CONFIG | MediaType::DOCKER_CONFIG => json!({
            "architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z",
            "config": {"Env": ["A=b=c\nd", "B="], "Cmd": null, "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
            "history": [{"created": "2024-01-01T00:00:00+01:00", "empty_layer": true}],
        }),
        MediaType::OCI_DESCRIPTOR => layer,
        MediaType::OCI_LAYOUT => json!({"imageLayoutVersion": "1.0.0"}),
        other => panic!("no document for {other}"),
    }
}

const KINDS: &[&str] = &[
    MediaType::OCI_MANIFEST,
    MediaType::DOCKER_MANIFEST,
    MediaType::OCI_INDEX,
    MediaType::OCI_CONFIG,
    MediaType::DOCKER_CONFIG,
    MediaType::OCI_DESCRIPTOR,
    MediaType::OCI_LAYOUT,
];

#[test]
fn valid_documents_have_no_problems() {
    for media_type in KINDS {
        assert_eq!(validate(media_type, &valid(media_type).to_string()), Ok(vec![]), "for {media_type}");
        let found = validate(media_type, "[]").unwrap();
        assert_eq!(found.len(), 1, "for {media_type}: {found:?}");
    }
    assert_eq!(validate(MediaType::OCI_EMPTY, "{}"), Ok(vec![]));
    assert!(validate(MediaType::OCI_LAYER, "").unwrap_err().to_string().contains("no rules for"));
    assert!(validate("nonsense", "{}").is_err());
}

/// Kind, place to change, new value (nothing to remove it), and the problem's place and words.
type Breach = (&'static str, &'static str, Option<Value>, &'static str, &'static str);

fn breaches_of_manifests() -> Vec<Breach> {
    use MediaType as M;
    vec![
        (M::OCI_MANIFEST, "/schemaVersion", Some(json!(1)), "/schemaVersion", "must be 2"),
        (M::OCI_MANIFEST, "/schemaVersion", Some(json!("2")), "/schemaVersion", "must be an integer"),
        (M::OCI_MANIFEST, "/schemaVersion", Some(json!(2.0)), "/schemaVersion", "must be an integer"),
        (M::OCI_MANIFEST, "/schemaVersion", None, "", "`schemaVersion` is missing"),
        (
            M::OCI_MANIFEST,
            "/mediaType",
            Some(json!(M::OCI_INDEX)),
            "/mediaType",
            "must be `application/vnd.oci.image.m",
        ),
        (M::OCI_MANIFEST, "/config", None, "", "`config` is missing"),
        (M::OCI_MANIFEST, "/layers", None, "", "`layers` is missing"),
        (M::OCI_MANIFEST, "/layers", Some(json!([])), "/layers", "at least one"),
        (M::OCI_MANIFEST, "/layers", Some(json!({})), "/layers", "must be an array"),
        (M::OCI_MANIFEST, "/manifests", Some(json!([])), "/manifests", "does not belong"),
        (M::OCI_MANIFEST, "/annotations", Some(Value::Null), "/annotations", "must be an object"),
        (
            M::OCI_MANIFEST,
            "/annotations",
            Some(json!({"a/b~": 1})),
            "/annotations/a~1b~0",
            "must be a string",
        ),
        (M::OCI_MANIFEST, "/subject", Some(json!(1)), "/subject", "must be an object"),
        (M::OCI_MANIFEST, "/artifactType", Some(json!("a")), "/artifactType", "media type"),
        (M::OCI_MANIFEST, "/config/mediaType", Some(json!(M::OCI_EMPTY)), "", "`artifactType` is missing"),
        (M::OCI_MANIFEST, "/config/data", Some(json!("e3w=")), "/config/data", "does not have the digest"),
        (M::OCI_MANIFEST, "/config/data", Some(json!("e30")), "/config/data", "base 64"),
        (M::OCI_MANIFEST, "/config/size", Some(json!(3)), "/config/data", "2 bytes"),
        (M::OCI_MANIFEST, "/layers/0/size", Some(json!("2")), "/layers/0/size", "must be an integer"),
        (M::OCI_MANIFEST, "/layers/0/size", Some(json!(-1)), "/layers/0/size", "must not be negative"),
        (M::OCI_MANIFEST, "/layers/0/size", Some(json!(u64::MAX)), "/layers/0/size", "must be an integer"),
        (M::OCI_MANIFEST, "/layers/0/digest", Some(json!("sha256:0")), "/layers/0/digest", "length"),
        (M::OCI_MANIFEST, "/layers/0/digest", Some(json!("a b")), "/layers/0/digest", "format"),
        (M::OCI_MANIFEST, "/layers/0/mediaType", Some(json!("invalid")), "/layers/0/mediaType", "RFC 6838"),
        (M::OCI_MANIFEST, "/layers/0/mediaType", None, "/layers/0", "`mediaType` is missing"),
        (M::OCI_MANIFEST, "/layers/0/urls", Some(json!(["a"])), "/layers/0/urls/0", "RFC 3986"),
        (M::DOCKER_MANIFEST, "/mediaType", None, "", "`mediaType` is missing"),
    ]
}

fn breaches_of_others() -> Vec<Breach> {
    use MediaType as M;
    vec![
        (M::OCI_INDEX, "/manifests", None, "", "`manifests` is missing"),
        (M::OCI_INDEX, "/layers", Some(json!([])), "/layers", "does not belong"),
        (M::OCI_INDEX, "/manifests/0/platform/os", None, "/manifests/0/platform", "`os` is missing"),
        (
            M::OCI_INDEX,
            "/manifests/0/platform/variant",
            Some(json!(7)),
            "/manifests/0/platform/variant",
            "string",
        ),
        (M::OCI_CONFIG, "/architecture", None, "", "`architecture` is missing"),
        (M::OCI_CONFIG, "/os", Some(json!(1)), "/os", "must be a string, but is a number"),
        (M::OCI_CONFIG, "/created", Some(json!("yesterday")), "/created", "RFC 3339"),
        (M::OCI_CONFIG, "/rootfs/type", Some(json!("diff")), "/rootfs/type", "must be `layers`"),
        (M::OCI_CONFIG, "/rootfs/diff_ids", None, "/rootfs", "`diff_ids` is missing"),
        (M::OCI_CONFIG, "/rootfs/diff_ids/0", Some(json!("x")), "/rootfs/diff_ids/0", "digest"),
        (M::OCI_CONFIG, "/config/Env/0", Some(json!("PATH")), "/config/Env/0", "`NAME=value`"),
        (M::OCI_CONFIG, "/config/Env/0", Some(json!("=x")), "/config/Env/0", "`NAME=value`"),
        (M::OCI_CONFIG, "/config/Cmd", Some(json!("sh")), "/config/Cmd", "must be an array"),
        (
            M::OCI_CONFIG,
            "/config/ExposedPorts/80~1tcp",
            Some(json!("")),
            "/config/ExposedPorts/80~1tcp",
            "an object",
        ),
        (M::OCI_CONFIG, "/history/0/empty_layer", Some(json!("yes")), "/history/0/empty_layer", "a boolean"),
        (M::OCI_CONFIG, "/history/0/created", Some(json!("2024")), "/history/0/created", "RFC 3339"),
        (
            M::DOCKER_CONFIG,
            "/config/Healthcheck",
            Some(json!({"Test": "x"})),
            "/config/Healthcheck/Test",
            "an array",
        ),
        (M::DOCKER_CONFIG, "/config/OnBuild", Some(json!([1])), "/config/OnBuild/0", "a string"),
        (M::OCI_DESCRIPTOR, "/size", None, "", "`size` is missing"),
        (M::OCI_LAYOUT, "/imageLayoutVersion", Some(json!("1.0")), "/imageLayoutVersion", "must be `1.0.0`"),
        (M::OCI_LAYOUT, "/imageLayoutVersion", None, "", "is missing"),
    ]
}

#[test]
fn each_breach_is_found_at_its_place() {
    for (media_type, at, value, path, words) in
        breaches_of_manifests().into_iter().chain(breaches_of_others())
    {
        let mut document = valid(media_type);
        let (parent, key) = at.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        let key = key.replace("~1", "/");
        match (value, parent) {
            (None, Value::Object(map)) => _ = map.remove(&key),
            (Some(value), Value::Object(map)) => _ = map.insert(key, value),
            (Some(value), Value::Array(list)) => list[key.parse::<usize>().unwrap()] = value,
            (value, _) => panic!("{at} cannot be {value:?}"),
        }
        let found = validate(media_type, &document.to_string()).unwrap();
        let [Problem { path: found_path, message }] = found.as_slice() else {
            panic!("{media_type} {at}: {found:?}");
        };
        assert_eq!(found_path, path, "{media_type} {at}: {message}");
        assert!(message.contains(words), "{media_type} {at}: {message}");
    }
}

#[test]
fn fields_that_are_not_known_are_left_alone() {
    for media_type in KINDS {
        let mut document = valid(media_type);
        document["x"] = json!([null]);
        assert_eq!(validate(media_type, &document.to_string()), Ok(vec![]), "for {media_type}");
    }
}

#[test]
fn lists_of_problems_end() {
    let mut document = valid(MediaType::OCI_MANIFEST);
    document["layers"] = json!(vec![1; 100_000]);
    assert_eq!(validate(MediaType::OCI_MANIFEST, &document.to_string()).unwrap().len(), 100);
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "schemaVersion",
        "mediaType",
        "config",
        "layers",
        "manifests",
        "digest",
        "size",
        "data",
        "urls",
        "platform",
        "os",
        "architecture",
        "rootfs",
        "type",
        "diff_ids",
        "history",
        "created",
        "Env",
        "annotations",
        "subject",
    ]);
    let text = prop::sample::select(vec![
        MediaType::OCI_MANIFEST,
        MediaType::OCI_EMPTY,
        "layers",
        "e30=",
        "a=b",
        "sha256:",
        "2024-01-01T00:00:00Z",
        "é",
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(2)),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_valid_can_be_read(document in any_json()) {
        let text = document.to_string();
        for media_type in KINDS {
            let problems = validate(media_type, &text).unwrap();
            let announced = MediaType::parse(media_type).unwrap();
            let read = match *media_type {
                MediaType::OCI_MANIFEST => Manifest::read(Some(&announced), text.as_bytes()).map(|_| ()),
                MediaType::OCI_INDEX => Index::read(Some(&announced), text.as_bytes()).map(|_| ()),
                MediaType::OCI_CONFIG => ImageConfig::read(text.as_bytes()).map(|_| ()),
                _ => continue,
            };
            if problems.is_empty() {
                prop_assert!(read.is_ok(), "{media_type}: {read:?} for {text}");
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        for media_type in KINDS {
            prop_assert!(validate(media_type, &text).is_ok());
        }
    }
}
