//! Platforms: how people write them, and which content runs on which.

use longshore_oci::{Index, Platform};
use serde_json::json;

#[test]
fn people_write_platforms_in_many_ways() {
    let host = Platform::new("linux", "amd64");
    for (text, expected) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm64/8", "linux/arm64/v8"),
        ("linux/arm64/9.0", "linux/arm64/v9"),
        ("Linux/AARCH64", "linux/arm64"),
        ("linux/x86_64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/arm", "linux/arm"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/armhf", "linux/arm"),
        ("linux/armel", "linux/arm/v6"),
        ("macos/arm64", "darwin/arm64"),
        ("linux", "linux/amd64"),
        ("windows", "windows/amd64"),
        ("arm64", "linux/arm64"),
        ("i386", "linux/386"),
        ("armhf", "linux/arm"),
        ("my-os/my-arch", "my-os/my-arch"),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
        ("windows(10.0.17763+win32k)/amd64", "windows(10.0.17763+win32k)/amd64"),
        ("linux(+erofs)/amd64", "linux(+erofs)/amd64"),
    ] {
        let platform = Platform::parse(text, &host).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(platform.to_string(), expected, "for {text}");
        assert_eq!(Platform::parse(expected, &host).unwrap(), platform);
    }
    let small = Platform::new("linux", "arm").with_variant("v6");
    assert_eq!(Platform::parse("linux", &small).unwrap(), small);
}

#[test]
fn what_names_no_platform_is_refused() {
    let host = Platform::new("linux", "amd64");
    for (text, reason) in [
        ("", "is no part"),
        ("*", "is no part"),
        ("linux/", "is no part"),
        ("linux/amd64/", "is no part"),
        ("linux/*", "is no part"),
        ("linux (x)/amd64", "is no part"),
        ("windows(10.0/amd64", "is no part"),
        ("toaster", "neither an operating system nor an architecture"),
        ("linux/arm/v7/x", "more than three parts"),
    ] {
        let error = Platform::parse(text, &host).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

/// The platforms that a machine runs, nearest first.
#[test]
fn machines_run_older_content_too() {
    for (machine, expected) in [
        ("linux/amd64", "linux/amd64 linux/386"),
        ("linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64/v1 linux/386"),
        ("linux/arm", "linux/arm/v7 linux/arm/v6 linux/arm/v5"),
        ("linux/arm/v6", "linux/arm/v6 linux/arm/v5"),
        ("linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"),
        (
            "linux/arm64/v8.2",
            "linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64/v8 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
        ),
        (
            "linux/arm64/v9",
            "linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 \
             linux/arm64/v8 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
        ),
        ("linux/arm64/v3", "linux/arm64/v3"),
        ("linux/riscv64", "linux/riscv64"),
        ("linux/amd64/v99999999", "linux/amd64/v99999999 linux/386"),
    ] {
        let machine = Platform::parse(machine, &Platform::default()).unwrap();
        let list: Vec<String> = machine.candidates().iter().map(Platform::to_string).collect();
        assert_eq!(list.join(" "), expected, "for {machine}");
    }
}

#[test]
fn platforms_match_by_their_usual_names() {
    let parse = |text| Platform::parse(text, &Platform::default()).unwrap();
    for (machine, content, expected) in [
        ("linux/arm64", "linux/arm64/v8", true),
        ("linux/arm64/v8", "linux/aarch64", true),
        ("linux/arm", "linux/arm/v7", true),
        ("linux/arm/v6", "linux/arm", false),
        ("linux/amd64", "linux/x86-64/v1", true),
        ("linux/amd64", "linux/amd64/v2", false),
        ("linux/amd64", "windows/amd64", false),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763.1)/amd64", true),
        ("windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64", false),
        ("windows/amd64", "windows(10.0.20348)/amd64", true),
        ("linux(+a+b)/amd64", "linux(+b)/amd64", true),
        ("linux(+a)/amd64", "linux(+a+b)/amd64", false),
    ] {
        assert_eq!(parse(machine).matches(&parse(content)), expected, "{content} on {machine}");
    }
}

#[test]
fn the_nearest_entry_of_an_index_is_selected() {
    let entry = |size: u32, media: &str, platform: Option<&str>| {
        let platform = platform.map(|text| Platform::parse(text, &Platform::default()).unwrap());
        let mut entry = json!({
            "mediaType": format!("application/vnd.oci.image.{media}+json"),
            "digest": format!("sha256:{}", "0".repeat(64)),
            "size": size,
        });
        if let Some(platform) = platform {
            entry["platform"] = serde_json::to_value(platform).unwrap();
        }
        entry
    };
    let index = json!({"schemaVersion": 2, "manifests": [
        entry(1, "manifest.v1", None),
        entry(2, "manifest.v1", Some("linux/386")),
        entry(3, "manifest.v1", Some("linux/arm/v6")),
        entry(4, "manifest.v1", Some("linux/amd64")),
        entry(5, "manifest.v1", Some("linux/amd64/v3")),
        entry(6, "manifest.v1", Some("unknown/unknown")),
        entry(7, "config.v1", Some("linux/amd64")),
        entry(8, "index.v1", Some("linux/arm64/v8")),
        entry(9, "manifest.v1", Some("linux/arm/v7")),
        entry(10, "manifest.v1", Some("linux/amd64")),
    ]});
    let index = Index::read(None, index.to_string().as_bytes()).unwrap();
    for (machine, expected) in [
        ("linux/amd64", vec![4, 10, 2, 1]),
        ("linux/amd64/v4", vec![5, 4, 10, 2, 1]),
        ("linux/arm64", vec![8, 9, 3, 1]),
        ("linux/arm/v7", vec![9, 3, 1]),
        ("linux/arm/v5", vec![1]),
        ("linux/386", vec![2, 1]),
        ("windows/amd64", vec![1]),
    ] {
        let machine = Platform::parse(machine, &Platform::default()).unwrap();
        let sizes: Vec<u64> = index.select(&machine).iter().map(|entry| entry.size).collect();
        assert_eq!(sizes, expected, "for {machine}");
    }
}
