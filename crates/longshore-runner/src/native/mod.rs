//! Actions that are built in: they need neither Node nor a network.
//!
//! A built-in action does what the published one does, as far as its inputs say, and runs in the runner's own process: it
//! reads and writes the job's directories from outside. What is there was made by steps and is hostile, so everything goes
//! through [`Directory`](crate::job::Directory).

mod action_version;
mod artifact;
mod cache;
pub(crate) mod checkout;
mod files;
mod inputs;
mod setup;
mod unsupported;

use std::sync::Arc;

use longshore_workflow::model::Condition;

use crate::handler::HandlerEnd;
use crate::step::StepCall;

/// The actions that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NativeAction {
    /// `actions/checkout`.
    Checkout,
    /// `actions/upload-artifact`.
    UploadArtifact,
    /// `actions/upload-artifact/merge`.
    MergeArtifacts,
    /// `actions/download-artifact`.
    DownloadArtifact,
    /// `actions/cache`.
    Cache,
    /// `actions/cache/restore`.
    RestoreCache,
    /// `actions/cache/save`.
    SaveCache,
    /// `actions/setup-python`.
    SetupPython,
    /// `actions/setup-node`.
    SetupNode,
    /// `actions/setup-go`.
    SetupGo,
    /// `actions/setup-java`.
    SetupJava,
    /// `astral-sh/setup-uv`.
    SetupUv,
    /// `pnpm/action-setup`.
    SetupPnpm,
    /// `dtolnay/rust-toolchain`.
    RustToolchain,
    /// `actions-rust-lang/setup-rust-toolchain`.
    SetupRust,
    /// `actions-rs/toolchain`.
    RustRelease,
    /// `actions-rs/cargo`.
    RustCommand,
    /// `Swatinem/rust-cache`.
    RustCache,
}

impl NativeAction {
    /// The built-in action for what `uses:` names, in whatever version.
    pub(crate) fn find(uses: &str) -> Option<Self> {
        if uses.starts_with("./") || uses.starts_with("docker://") {
            return None;
        }
        let (name, _version) = uses.split_once('@')?;
        match name.trim_end_matches('/').to_ascii_lowercase().as_str() {
            "actions/checkout" => Some(Self::Checkout),
            "actions/upload-artifact" => Some(Self::UploadArtifact),
            "actions/upload-artifact/merge" => Some(Self::MergeArtifacts),
            "actions/download-artifact" => Some(Self::DownloadArtifact),
            "actions/cache" => Some(Self::Cache),
            "actions/cache/restore" => Some(Self::RestoreCache),
            "actions/cache/save" => Some(Self::SaveCache),
            "actions/setup-python" => Some(Self::SetupPython),
            "actions/setup-node" => Some(Self::SetupNode),
            "actions/setup-go" => Some(Self::SetupGo),
            "actions/setup-java" => Some(Self::SetupJava),
            "astral-sh/setup-uv" => Some(Self::SetupUv),
            "pnpm/action-setup" => Some(Self::SetupPnpm),
            "dtolnay/rust-toolchain" => Some(Self::RustToolchain),
            "actions-rust-lang/setup-rust-toolchain" => Some(Self::SetupRust),
            "actions-rs/toolchain" => Some(Self::RustRelease),
            "actions-rs/cargo" => Some(Self::RustCommand),
            "swatinem/rust-cache" => Some(Self::RustCache),
            _ => None,
        }
    }

    /// Carries it out.
    pub(crate) fn main(self, call: &mut StepCall<'_>) -> HandlerEnd {
        self.warn(call);
        match self {
            Self::Checkout => checkout::main(call),
            Self::UploadArtifact => artifact::upload(call),
            Self::MergeArtifacts => artifact::merge(call),
            Self::DownloadArtifact => artifact::download(call),
            Self::Cache => cache::main(call),
            Self::RestoreCache => cache::restore(call),
            Self::SaveCache => cache::save(call),
            Self::SetupPython => setup::python(call),
            Self::SetupNode => setup::node(call),
            Self::SetupGo => setup::go(call),
            Self::SetupJava => setup::java(call),
            Self::SetupUv => setup::uv(call),
            Self::SetupPnpm => setup::pnpm(call),
            Self::RustToolchain => setup::rust_toolchain(call),
            Self::SetupRust => setup::rust_setup(call),
            Self::RustRelease => setup::rust_release(call),
            Self::RustCommand => setup::rust_command(call),
            Self::RustCache => setup::rust_cache(call),
        }
    }

    /// Whether it does something after the job's steps.
    pub(crate) fn has_post(self) -> bool {
        matches!(self, Self::Cache | Self::Checkout) || self.keeps_cache()
    }

    /// Whether it sets up a tool whose package manager may keep a cache.
    fn keeps_cache(self) -> bool {
        use NativeAction::{RustCache, SetupGo, SetupJava, SetupNode, SetupPython, SetupRust, SetupUv};
        matches!(self, SetupPython | SetupNode | SetupGo | SetupJava | SetupUv | SetupRust | RustCache)
    }

    /// Whether that is to be done; always without a condition.
    pub(crate) fn post_condition(self) -> Option<Condition> {
        let text = match self {
            // A cache of Rust may be kept after a failure, too.
            Self::SetupRust | Self::RustCache => "!cancelled()",
            Self::Cache => "success()",
            other if other.keeps_cache() => "success()",
            _ => return None,
        };
        let expr = longshore_expr::parse(text).ok()?;
        Some(Condition { text: text.to_owned(), expr: Arc::new(expr), written: None, is_text: false })
    }

    /// Does what it does after the job's steps; see [`has_post`](Self::has_post).
    pub(crate) fn post(self, call: &mut StepCall<'_>) -> HandlerEnd {
        match self {
            Self::Checkout => checkout::post(call),
            Self::Cache => cache::post(call),
            other if other.keeps_cache() => setup::post(call),
            _ => HandlerEnd::success(),
        }
    }
}

/// The time, as stores take it.
fn now(call: &StepCall<'_>) -> jiff::Timestamp {
    let milliseconds = (call.steps.run.runner.clock)().0;
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::NativeAction;

    #[test]
    fn actions_are_found_by_name_in_any_version() {
        let table = [
            ("actions/checkout@v4", Some(NativeAction::Checkout)),
            ("Actions/Checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3", Some(NativeAction::Checkout)),
            ("actions/checkout", None),
            ("actions/checkout/sub@v4", None),
            ("./actions/checkout@v4", None),
            ("docker://actions/checkout@v4", None),
            ("someone/checkout@v4", None),
        ];
        for (uses, wanted) in table {
            assert_eq!(NativeAction::find(uses), wanted, "{uses}");
        }
    }
}
