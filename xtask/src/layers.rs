//! The table of crates: which layer each is in, and which edges are allowed.
//!
//! An edge downwards is free; an edge sideways must stand here; an edge upwards is never allowed. A crate that is not
//! in the table is refused, so that no crate comes without a decision. See ARCHITECTURE.md for what the layers mean.

/// One crate of the workspace.
pub(crate) struct Layer {
    /// The package's name.
    pub(crate) package: &'static str,
    /// 0 is the vocabulary, 1 what is pure, 2 state and sources, 3 engines, 4 orchestration, 5 surfaces.
    pub(crate) level: u8,
    /// Packages of the same level that it may use.
    pub(crate) sideways: &'static [&'static str],
}

/// Every crate; tools of the code base itself are in no layer.
pub(crate) const LAYERS: &[Layer] = &[
    Layer { package: "longshore-core", level: 0, sideways: &[] },
    Layer { package: "longshore-event", level: 0, sideways: &["longshore-core"] },
    Layer { package: "longshore-syntax", level: 1, sideways: &[] },
    Layer { package: "longshore-expr", level: 1, sideways: &["longshore-syntax"] },
    Layer { package: "longshore-workflow", level: 1, sideways: &["longshore-expr", "longshore-syntax"] },
    Layer {
        package: "longshore-lint",
        level: 1,
        sideways: &["longshore-expr", "longshore-syntax", "longshore-workflow"],
    },
    Layer { package: "longshore-oci", level: 1, sideways: &[] },
    Layer { package: "longshore-seccomp", level: 1, sideways: &[] },
    Layer { package: "longshore-format", level: 1, sideways: &[] },
    Layer { package: "longshore-source", level: 2, sideways: &["longshore-layer"] },
    Layer { package: "longshore-store", level: 2, sideways: &[] },
    Layer { package: "longshore-layer", level: 2, sideways: &[] },
    Layer { package: "longshore-registry", level: 2, sideways: &["longshore-store"] },
    Layer {
        package: "longshore-image",
        level: 2,
        sideways: &["longshore-layer", "longshore-registry", "longshore-store"],
    },
    Layer { package: "longshore-history", level: 2, sideways: &[] },
    Layer { package: "longshore-secrets", level: 2, sideways: &[] },
    Layer { package: "longshore-bootstrap", level: 2, sideways: &["longshore-layer"] },
    Layer { package: "longshore-engine", level: 3, sideways: &[] },
    Layer { package: "longshore-sys", level: 3, sideways: &[] },
    Layer { package: "longshore-cgroup", level: 3, sideways: &["longshore-sys"] },
    Layer { package: "longshore-network", level: 3, sideways: &["longshore-sys"] },
    Layer { package: "longshore-usernet", level: 3, sideways: &["longshore-sys"] },
    Layer {
        package: "longshore-engine-native",
        level: 3,
        sideways: &[
            "longshore-engine",
            "longshore-sys",
            "longshore-cgroup",
            "longshore-network",
            "longshore-usernet",
        ],
    },
    Layer { package: "longshore-engine-docker", level: 3, sideways: &["longshore-engine"] },
    Layer { package: "longshore-testkit", level: 3, sideways: &["longshore-engine"] },
    Layer { package: "longshore-toolkit", level: 4, sideways: &[] },
    Layer { package: "longshore-runner", level: 4, sideways: &["longshore-toolkit"] },
    Layer { package: "longshore-report", level: 5, sideways: &[] },
    Layer { package: "longshore", level: 5, sideways: &["longshore-report"] },
];

/// Packages that are no part of the product.
pub(crate) const TOOLS: &[&str] = &["xtask"];

/// The highest level that is pure.
pub(crate) const PURE: u8 = 1;

/// What pure crates may not depend on: runtimes, the system, databases.
pub(crate) const IMPURE_PACKAGES: &[&str] =
    &["tokio", "hyper", "rustix", "nix", "libc", "rusqlite", "gix", "reqwest", "tempfile"];

/// What the text of pure crates may not hold outside of tests.
pub(crate) const IMPURE_WORDS: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "include_bytes!",
];

/// What a file above the pure layers may not hold if it says of itself that it is sans-IO.
pub(crate) const IO_WORDS: &[&str] = &["async ", ".await", "tokio", "std::fs", "now()"];

/// Crates that may use `unsafe`.
pub(crate) const UNSAFE: &[&str] = &["longshore-sys"];

/// Crates whose every type may be serialised. Elsewhere only types whose name ends in `Dto` are.
pub(crate) const SERIALISED: &[&str] = &["longshore-engine", "longshore-event", "longshore-oci"];
