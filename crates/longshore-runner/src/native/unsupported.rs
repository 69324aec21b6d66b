//! Inputs of published actions that the built-in ones do not know what to do with: who gives one is told.

use super::NativeAction;
use super::inputs::Given;
use crate::step::StepCall;

/// An input with the values that ask for nothing else than what is done anyway.
type Input = (&'static str, &'static [&'static str]);

/// This machine's own architecture, as set-up actions write it.
const HERE: &[&str] = match std::env::consts::ARCH.as_bytes() {
    b"aarch64" => &["arm64", "aarch64"],
    _ => &["x64", "amd64", "x86_64"],
};
const NO: &[&str] = &["false", "False", "FALSE"];
const NEVER: &[&str] = &[];

impl NativeAction {
    fn unsupported(self) -> &'static [Input] {
        match self {
            Self::SetupPython => &[
                ("architecture", HERE),
                ("check-latest", NO),
                ("freethreaded", NO),
                ("pip-version", NEVER),
                ("pip-install", NEVER),
            ],
            Self::SetupNode => {
                &[("architecture", HERE), ("check-latest", NO), ("always-auth", NO), ("mirror", NEVER)]
            }
            Self::SetupGo => &[("architecture", HERE), ("check-latest", NO), ("go-download-base-url", NEVER)],
            Self::SetupJava => &[
                ("architecture", HERE),
                ("check-latest", NO),
                ("force-download", NO),
                ("java-package", &["jdk"]),
                ("jdk-file", NEVER),
                ("jdkFile", NEVER),
                ("server-id", NEVER),
                ("server-username", NEVER),
                ("server-password", NEVER),
                ("server-username-env-var", NEVER),
                ("server-password-env-var", NEVER),
                ("settings-path", NEVER),
                ("gpg-private-key", NEVER),
                ("gpg-passphrase", NEVER),
                ("mvn-toolchain-id", NEVER),
                ("mvn-toolchain-vendor", NEVER),
                ("cache-path", NEVER),
                ("verify-signature", NO),
            ],
            Self::SetupUv => &[
                ("checksum", NEVER),
                ("manifest-file", NEVER),
                ("cache-python", NO),
                ("resolution-strategy", &["highest"]),
            ],
            Self::SetupPnpm => &[("standalone", NO), ("cache", NO)],
            Self::RustCache => &[
                ("env-vars", NEVER),
                ("cache-provider", &["github"]),
                ("cache-workspace-crates", &["true"]),
                ("lookup-only", NO),
            ],
            _ => &[],
        }
    }

    /// Warns of inputs that change nothing here.
    pub(super) fn warn(self, call: &StepCall<'_>) {
        for (name, harmless) in self.unsupported() {
            let value = Given(call).text(name);
            if !value.is_empty() && !harmless.contains(&value) {
                call.voice.warning(&format!(
                    "the input `{name}` changes nothing in the action that is built in; `--actions=upstream` runs the published one"
                ));
            }
        }
    }
}
