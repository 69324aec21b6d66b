//! `dtolnay/rust-toolchain`, `actions-rust-lang/setup-rust-toolchain` and `Swatinem/rust-cache`.
//!
//! Toolchains are rustup's. One that is there is used without asking anybody; else rustup is told to install it. The
//! machine's own toolchains cannot be changed by a job, so what rustup cannot write down goes into `RUSTUP_TOOLCHAIN`.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::capture::{Captured, script};
use super::failure::{SetupError, end};
use super::installed::{export, is_set};
use super::matcher::{RUST, register};
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "Rust";

/// Arguments: toolchain, components, targets (both with commas or blanks). Prints the toolchain's name if it has to be
/// named, then what `rustc` says of itself.
const INSTALL: &str = r#"command -v rustup >/dev/null 2>&1 || { echo "there is no rustup in the image" >&2; exit 127; }
set -f; t=$1; c=$(echo $2 | tr ',' ' '); g=$(echo $3 | tr ',' ' ')
here() { rustup run "$t" rustc --version >/dev/null 2>&1 || return 1
have=$(rustup component list --toolchain "$t" --installed 2>/dev/null) || return 1
for x in $c; do case "
$have" in *"
$x"*|*"
${x%-preview}"*) ;; *) return 1;; esac; done
for x in $g; do case "$have" in *"rust-std-$x"*) ;; *) return 1;; esac; done; }
if ! here; then set --; for x in $c; do set -- "$@" --component "$x"; done; for x in $g; do set -- "$@" --target "$x"; done
rustup toolchain install "$t" "$@" --profile minimal --no-self-update >&2 || { echo "the image has: $(rustup toolchain list 2>/dev/null | tr '\n' ' ')" >&2; exit 1; }; fi
if rustup default "$t" >/dev/null 2>&1; then echo; else echo "$t"; fi
rustc "+$t" --version --verbose; echo "cargo: $(cargo "+$t" --version)"; echo "rustup: $(rustup --version 2>/dev/null)""#;

/// `dtolnay/rust-toolchain`: the toolchain is what the action's version says, or its input.
pub(crate) fn toolchain(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = set_toolchain(call);
    end(call, result)
}

fn set_toolchain(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let version = call.uses.rsplit_once('@').map_or("", |(_, version)| version).to_owned();
    let own = given.text("toolchain");
    let wanted = match (own, version.as_str()) {
        ("", "master" | "v1") => return Err(super::super::inputs::InputError::Missing("toolchain").into()),
        ("", commit) if commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            "stable".to_owned()
        }
        ("", version) => version.to_owned(),
        (own, _) => own.to_owned(),
    };
    let targets = given.text_or("targets", given.text("target")).to_owned();
    let said = install(call, &wanted, given.text("components"), &targets)?;
    set(&mut call.outputs, "name", wanted);
    set(&mut call.outputs, "cachekey", cache_key(&said));
    let home = call.steps.place.paths.home.clone();
    for (name, value) in [
        ("CARGO_HOME", format!("{home}/.cargo")),
        ("CARGO_INCREMENTAL", "0".to_owned()),
        ("CARGO_TERM_COLOR", "always".to_owned()),
    ] {
        if !is_set(call, name) {
            export(call, name, value);
        }
    }
    Ok(())
}

/// `actions-rust-lang/setup-rust-toolchain`.
pub(crate) fn setup(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = set_up(call);
    end(call, result)
}

fn set_up(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let wanted = match given.text("toolchain") {
        "" => file(call)?.unwrap_or_else(|| "stable".to_owned()),
        // Of several the first is the default.
        own => own.split(',').next().unwrap_or(own).trim().to_owned(),
    };
    let flags = call.inputs.get("rustflags").unwrap_or("-D warnings").to_owned();
    let matchers = given.boolean("matcher", true)?;
    let cached = given.boolean("cache", true)?;
    let said = install(call, &wanted, given.text("components"), given.text("target"))?;
    let line =
        |start: &str| said.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().to_owned();
    let rustc = said.lines().find(|line| line.starts_with("rustc ")).unwrap_or_default().to_owned();
    set(&mut call.outputs, "rustc-version", rustc);
    set(&mut call.outputs, "cargo-version", line("cargo: "));
    set(&mut call.outputs, "rustup-version", line("rustup: "));
    set(&mut call.outputs, "cachekey", cache_key(&said));
    for (name, value) in [
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_PROFILE_DEV_DEBUG", "0"),
        ("CARGO_TERM_COLOR", "always"),
        ("RUST_BACKTRACE", "short"),
        ("RUSTFLAGS", flags.as_str()),
    ] {
        if !value.is_empty() && !is_set(call, name) {
            export(call, name, value);
        }
    }
    if matchers {
        register(call, RUST);
    }
    if cached { keep(call, "cache-") } else { Ok(()) }
}

/// The toolchain that `rust-toolchain.toml` or `rust-toolchain` names.
pub(super) fn file(call: &StepCall<'_>) -> Result<Option<String>, SetupError> {
    let mut files = JobFiles::open(call.steps.place)?;
    for name in ["rust-toolchain.toml", "rust-toolchain"] {
        let path = files.absolute(name);
        if let Some(content) = files.read(&path, 1 << 20)? {
            let text = String::from_utf8_lossy(&content);
            let channel =
                text.lines().find_map(|line| line.trim().strip_prefix("channel")?.trim().strip_prefix('='));
            let plain =
                text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '[']));
            let found = channel.or(plain).map(|found| found.trim().trim_matches(['"', '\'']).to_owned());
            return Ok(found);
        }
    }
    Ok(None)
}

/// Makes a toolchain the one that is used; gives what it says of itself.
pub(super) fn install(
    call: &StepCall<'_>,
    wanted: &str,
    components: &str,
    targets: &str,
) -> Result<String, SetupError> {
    let captured: Captured = script(call, INSTALL, &[wanted, components, targets])
        .map_err(|source| SetupError::Look { tool: TOOL, source })?;
    call.voice.line(captured.error.trim_end());
    if !captured.is_success() {
        let lines: Vec<&str> =
            captured.error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let said = lines.iter().rev().take(2).rev().copied().collect::<Vec<_>>().join("; ");
        let said = format!("toolchain `{wanted}`: {said}; use another image, or a toolchain that it has");
        return Err(SetupError::Failed { tool: TOOL, said });
    }
    let (named, said) = captured.output.split_once('\n').unwrap_or_default();
    if !named.is_empty() {
        call.voice
            .line(&format!("The machine's default toolchain stays; steps use `{named}` by RUSTUP_TOOLCHAIN"));
        export(call, "RUSTUP_TOOLCHAIN", named);
    }
    call.voice.line(said);
    Ok(said.to_owned())
}

/// Twelve characters of the commit's date and hash.
fn cache_key(said: &str) -> String {
    let line = |start: &str| said.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    let text = format!("{}{}", line("commit-date: ").replace('-', ""), line("commit-hash: "));
    text.chars().take(12).collect()
}

/// `Swatinem/rust-cache`.
pub(crate) fn cache(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = keep(call, "");
    end(call, result)
}

/// Caches what cargo has fetched and built. In another action its inputs have a beginning.
fn keep(call: &mut StepCall<'_>, beginning: &'static str) -> Result<(), SetupError> {
    let given = Given(call);
    let input = |name: &str| given.text(&format!("{beginning}{name}")).to_owned();
    let yes = |name: &str, default: bool| match input(name).as_str() {
        "" => default,
        text => text.eq_ignore_ascii_case("true"),
    };
    let mut paths = Vec::new();
    if yes("bin", true) {
        paths.push("~/.cargo/bin".to_owned());
    }
    paths.extend(["~/.cargo/registry", "~/.cargo/git"].map(str::to_owned));
    if yes("targets", true) && yes("cache-targets", true) {
        let workspaces = super::super::inputs::lines(&input("workspaces"));
        let workspaces = if workspaces.is_empty() { vec![". -> target".to_owned()] } else { workspaces };
        for workspace in workspaces {
            let (root, target) = workspace.split_once("->").unwrap_or((&workspace, "target"));
            let root = root.trim().trim_start_matches("./").trim_end_matches('/');
            let root = if root == "." || root.is_empty() { String::new() } else { format!("{root}/") };
            paths.push(format!("{root}{}", target.trim()));
        }
    }
    paths.extend(super::super::inputs::lines(&input("cache-directories")));
    let asked = script(call, "rustc --version --verbose 2>/dev/null; env | grep -E '^(CARGO|CC|CFLAGS|CXX|CMAKE|RUST)' | grep -v TOKEN | sort", &[])
        .map_err(|source| SetupError::Look { tool: TOOL, source })?;
    let environment = longshore_oci::Digest::of(asked.output.as_bytes());
    let environment = environment.encoded().get(..8).unwrap_or_default().to_owned();
    let shared = input("shared-key");
    let own = input("key");
    let middle = match (shared.as_str(), own.as_str()) {
        ("", "") => call.scope.text("github", "job").unwrap_or_default(),
        ("", own) => format!("{own}-{}", call.scope.text("github", "job").unwrap_or_default()),
        (shared, _) => shared.to_owned(),
    };
    let first =
        Some(input("prefix-key")).filter(|key| !key.is_empty()).unwrap_or_else(|| "v0-rust".to_owned());
    let platform = super::cached::platform();
    let prefix = format!("{first}-{middle}-{platform}-{environment}");
    let digest = hash(
        call,
        &[
            "**/Cargo.toml",
            "**/Cargo.lock",
            "**/rust-toolchain",
            "**/rust-toolchain.toml",
            ".cargo/config.toml",
        ],
    )?;
    let digest = digest.get(..8).unwrap_or("none").to_owned();
    let (save, always) = (yes("save-if", true), yes("cache-on-failure", false) || yes("on-failure", false));
    let cached = Cached { restore: vec![prefix.clone()], prefix, paths, save, always };
    cached.restore(call, &digest)
}

#[cfg(test)]
mod tests {
    use super::cache_key;

    #[test]
    fn the_cache_key_is_of_date_and_commit() {
        let said = "rustc 1.62.0 (a8314ef7d 2022-06-27)\ncommit-hash: a8314ef7d0ec7b75c336af2c9857bfaf43002bfc\ncommit-date: 2022-06-27\n";
        assert_eq!(cache_key(said), "20220627a831");
    }
}
