//! `actions/setup-go`.
//!
//! A version that is not there comes through Go's own proxy: since 1.21 `go` fetches other toolchains itself and verifies
//! them by the checksum database.

use super::super::action_version::ActionVersion;
use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::capture::script;
use super::failure::{SetupError, end};
use super::installed::{Installed, add_path, choose, dashed, export, look, missing, read_line, tell};
use super::matcher::{GO, register};
use super::version::{Version, VersionRange};
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "Go";

const LOOK: &str = r#"seen=' '
asked() { r=$(readlink -f "$1" 2>/dev/null) || return 0; case "$seen" in *" $r "*) return 0;; esac; seen="$seen$r "
v=$(GOTOOLCHAIN=local "$1" env GOVERSION GOROOT 2>/dev/null) || return 0
set -- $v; printf '%s\t%s\t%s\n' "${1#go}" "$2" "$2/bin/go"; }
for d in "${RUNNER_TOOL_CACHE:-/nowhere}"/go/*/x64; do [ -x "$d/bin/go" ] && asked "$d/bin/go"; done
(IFS=:; for d in $PATH; do case "$d" in */shims) continue;; esac; [ -x "$d/go" ] && echo "$d/go"; done) | while read -r p; do asked "$p"; done
for d in /usr/local/go /usr/lib/go-* "$HOME"/sdk/go* "${GOENV_ROOT:-$HOME/.goenv}"/versions/[0-9]*; do [ -x "$d/bin/go" ] && asked "$d/bin/go"; done
exit 0"#;

/// Asks the proxy for a version, with the newest Go that is there.
const FETCH: &str = r#"go=$1; wanted=$2
case "$wanted" in go*) ;; *) exit 2;; esac
root=$(GOTOOLCHAIN=$wanted "$go" env GOROOT) || exit 1
printf '%s\t%s\t%s\n' "${wanted#go}" "$root" "$root/bin/go""#;

const VERSIONS: &str =
    r#"cd /; GOTOOLCHAIN=local GOFLAGS=-mod=mod "$1" list -m -versions golang.org/toolchain"#;

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let installed = look(call, TOOL, LOOK)?;
    let taken = match wanted(call)? {
        Some(wanted) => {
            call.voice.line(&format!("Setup go version spec {wanted}"));
            let taken = take(call, &wanted, &installed)?;
            tell(call, TOOL, &taken);
            let is_first = installed.first().is_some_and(|first| first.program == taken.program);
            add_path(call, &format!("{}/bin", taken.prefix), is_first);
            Some(taken)
        }
        None => installed.first().cloned(),
    };
    let Some(taken) = taken else { return Err(missing(call, TOOL, "of any version", &installed, "")) };
    // Since version 6 of the action what was asked for is used, whatever `go.mod` says; before, Go fetches what that wants.
    if ActionVersion::of(&call.uses).major >= 6 {
        export(call, "GOTOOLCHAIN", "local");
    }
    let text = r#"p=$("$1" env GOPATH) && mkdir -p "$p/bin" && echo "$p/bin"; GOTOOLCHAIN=local "$1" version; GOTOOLCHAIN=local "$1" env GOMODCACHE GOCACHE"#;
    let asked =
        script(call, text, &[&taken.program]).map_err(|source| SetupError::Look { tool: TOOL, source })?;
    let mut lines = asked.output.lines();
    if let Some(bin) = lines.next().filter(|line| line.starts_with('/')) {
        call.steps.progress.add_path(bin.to_owned());
    }
    call.voice.line(lines.next().unwrap_or_default());
    let caches: Vec<String> = lines.map(str::to_owned).filter(|line| line.starts_with('/')).collect();
    set(&mut call.outputs, "go-version", taken.written.clone());
    register(call, GO);
    call.voice.line(&format!("Successfully set up Go version {}", taken.written));
    cache(call, &taken.written, caches)
}

/// What version is wanted, if one is.
fn wanted(call: &StepCall<'_>) -> Result<Option<String>, SetupError> {
    let given = Given(call);
    if !given.text("go-version").is_empty() {
        return Ok(Some(given.text("go-version").to_owned()));
    }
    let name = given.text("go-version-file");
    if name.is_empty() {
        return Ok(None);
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let path = files.absolute(name);
    let content = files.read(&path, 1 << 20)?;
    let content = content.ok_or_else(|| SetupError::NoFile { tool: "go", path: path.clone() })?;
    from_file(name, &String::from_utf8_lossy(&content))
        .map(Some)
        .ok_or(SetupError::NoVersion { tool: TOOL, path })
}

fn from_file(name: &str, text: &str) -> Option<String> {
    let lines = || text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let after =
        |word: &str| lines().find_map(|line| line.strip_prefix(word).map(str::trim)).map(str::to_owned);
    if name.ends_with("go.mod") || name.ends_with("go.work") {
        let toolchain =
            after("toolchain go").filter(|version| version.starts_with(|digit: char| digit.is_ascii_digit()));
        return toolchain.or_else(|| after("go "));
    }
    if name.ends_with(".tool-versions") {
        return after("golang ").or_else(|| after("go "));
    }
    lines().find(|line| !line.is_empty()).map(|line| line.trim_start_matches("go").to_owned())
}

fn take(call: &StepCall<'_>, wanted: &str, installed: &[Installed]) -> Result<Installed, SetupError> {
    let text = match wanted {
        "stable" | "oldstable" => "*".to_owned(),
        other => dashed(other.trim_start_matches("go")),
    };
    let range = VersionRange::parse(&text).ok_or_else(|| SetupError::Version {
        tool: TOOL,
        wanted: wanted.to_owned(),
        help: "write it as `1.22`, `^1.21.1` or `stable`",
    })?;
    if let Some(taken) = choose(installed, &range) {
        return Ok(taken.clone());
    }
    // Go fetches other versions since 1.21.
    let able = installed.iter().filter(|found| (found.version.major(), found.version.minor()) >= (1, 21));
    let Some(go) = able.max_by(|one, other| one.version.cmp(&other.version)) else {
        return Err(missing(
            call,
            TOOL,
            wanted,
            installed,
            ", or one with Go 1.21 or later, which fetches other versions",
        ));
    };
    let failed = |source| SetupError::Look { tool: TOOL, source };
    let known = script(call, VERSIONS, &[&go.program]).map_err(failed)?;
    let said = |captured: &super::capture::Captured| match captured
        .error
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
    {
        Some(line) => format!(" (Go's proxy was asked: {line})"),
        None => " (Go's proxy has none that fits)".to_owned(),
    };
    let Some(version) = newest(&known.output, &range) else {
        return Err(missing(call, TOOL, wanted, installed, &said(&known)));
    };
    call.voice.line(&format!("Go {version} comes through Go's module proxy"));
    let fetched = script(call, FETCH, &[&go.program, &format!("go{version}")]).map_err(failed)?;
    let found = fetched.output.lines().find_map(read_line).filter(|_| fetched.is_success());
    found.ok_or_else(|| missing(call, TOOL, wanted, installed, &said(&fetched)))
}

/// The newest version of a list of toolchains that fits, without its `go`.
fn newest(list: &str, range: &VersionRange) -> Option<String> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let end = format!(".linux-{architecture}");
    let named = list.split_whitespace().filter_map(|word| word.strip_prefix("v0.0.1-go")?.strip_suffix(&end));
    let known = named.filter_map(|name| Some((Version::parse(&dashed(name))?, name)));
    known.filter(|(version, _)| range.contains(version)).max().map(|(_, name)| name.to_owned())
}

fn cache(call: &mut StepCall<'_>, version: &str, paths: Vec<String>) -> Result<(), SetupError> {
    let given = Given(call);
    if !given.boolean("cache", true)? || paths.is_empty() {
        return Ok(());
    }
    let own = given.lines("cache-dependency-path");
    let is_given = !own.is_empty();
    let own: Vec<&str> =
        if is_given { own.iter().map(String::as_str).collect() } else { vec!["go.mod", "go.sum"] };
    let digest = hash(call, &own)?;
    if digest.is_empty() {
        call.voice.warning(&format!(
            "Restore cache failed: Dependencies file is not found in {}. Supported file pattern: {}",
            call.steps.place.paths.workspace,
            own.join(",")
        ));
        return Ok(());
    }
    let platform = super::cached::platform();
    let prefix = format!("setup-go-{platform}-go-{version}");
    let cached = Cached { prefix, restore: Vec::new(), paths, save: true, always: false };
    cached.restore(call, &digest)
}

#[cfg(test)]
mod tests {
    use super::{VersionRange, from_file, newest};

    #[test]
    fn versions_stand_in_files() {
        let table = [
            ("go.mod", "module x\n\ngo 1.21\n\ntoolchain go1.22.5\n", Some("1.22.5")),
            ("sub/go.mod", "module x\ngo 1.21.3 // c\n", Some("1.21.3")),
            ("go.work", "go 1.22\n", Some("1.22")),
            (".go-version", "1.20.1\n", Some("1.20.1")),
            (".tool-versions", "golang 1.19\n", Some("1.19")),
            ("go.mod", "module x\n", None),
        ];
        for (name, text, wanted) in table {
            assert_eq!(from_file(name, text).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn the_newest_toolchain_that_fits_is_fetched() {
        let end = if std::env::consts::ARCH == "aarch64" { "linux-arm64" } else { "linux-amd64" };
        let list = format!(
            "golang.org/toolchain v0.0.1-go1.22.5.{end} v0.0.1-go1.22.10.{end} v0.0.1-go1.22.99.plan9-386 v0.0.1-go1.23rc1.{end}"
        );
        assert_eq!(newest(&list, &VersionRange::parse("1.22").unwrap()).as_deref(), Some("1.22.10"));
        assert_eq!(newest(&list, &VersionRange::parse("1.23").unwrap()), None);
    }
}
