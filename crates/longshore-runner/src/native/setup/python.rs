//! `actions/setup-python`.
//!
//! Of a Python that the job may not write to, such as the system's or one of a version manager of the machine, the job gets
//! one of its own in the tool cache, so that `pip install` works as on GitHub and changes nothing else. pip comes from the
//! wheel that Python brings along, without being installed.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::capture::{capture, script};
use super::failure::{SetupError, end};
use super::installed::{Installed, choose, dashed, export, look, missing, tell};
use super::matcher::{PYTHON, register};
use super::version::VersionRange;
use crate::environment::{get, set};
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "Python";

/// Prints all Pythons: those with a version in their directory's name without running them.
const LOOK: &str = r#"seen=' '
named() { [ -x "$2/bin/python3" ] || [ -x "$2/bin/python" ] || return 0; p="$2/bin/python3"; [ -x "$p" ] || p="$2/bin/python"; printf '%s\t%s\t%s\n' "$1" "$2" "$p"; }
asked() { r=$(readlink -f "$1" 2>/dev/null) || return 0; case "$seen" in *" $r "*) return 0;; esac; seen="$seen$r "
"$1" -c 'import sys,platform; sys.stdout.write("%s\t%s\t%s\n" % (platform.python_version(), sys.prefix, sys.executable))' 2>/dev/null; }
for d in "${RUNNER_TOOL_CACHE:-/nowhere}"/Python/*/x64; do v=${d%/x64}; named "${v##*/}" "$d"; done
IFS=:; for d in $PATH; do case "$d" in */shims) continue;; esac
for p in "$d"/python "$d"/python3 "$d"/python3.[0-9] "$d"/python3.[0-9][0-9]; do [ -x "$p" ] && asked "$p"; done; done; unset IFS
for d in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/[0-9]*; do named "${d##*/}" "$d"; done
for d in "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/cpython-*; do v=${d##*/cpython-}; named "${v%%-*}" "$d"; done
exit 0"#;

/// Makes a Python of the job's own in its argument, see there.
const PREPARE: &str = include_str!("prepare.py");

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let versions = versions(call)?;
    let mut last = None;
    if versions.is_empty() {
        call.voice.warning(
            "Neither 'python-version' nor 'python-version-file' inputs were supplied, and there is no '.python-version' file. The version of Python currently in `PATH` will be used.",
        );
    }
    let installed = if versions.is_empty() { Vec::new() } else { look(call, TOOL, LOOK)? };
    for wanted in &versions {
        last = Some(take(call, &installed, wanted)?);
    }
    if let Some(version) = last {
        cache(call, &version)?;
    }
    register(call, PYTHON);
    Ok(())
}

/// What versions are wanted, in order.
fn versions(call: &StepCall<'_>) -> Result<Vec<String>, SetupError> {
    let given = Given(call);
    let versions = given.lines("python-version");
    if !versions.is_empty() {
        return Ok(versions);
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let (name, is_given) = match given.text("python-version-file") {
        "" => (".python-version", false),
        name => (name, true),
    };
    let path = files.absolute(name);
    let Some(content) = files.read(&path, 1 << 20)? else {
        return if is_given { Err(SetupError::NoFile { tool: "python", path }) } else { Ok(Vec::new()) };
    };
    let text = String::from_utf8_lossy(&content);
    let found = from_file(name, &text);
    if found.is_empty() {
        return Err(SetupError::NoVersion { tool: TOOL, path });
    }
    call.voice.line(&format!("Resolved {name} as {}", found.join(", ")));
    Ok(found)
}

fn from_file(name: &str, text: &str) -> Vec<String> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let plain = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    match file {
        "pyproject.toml" | "Pipfile" => {
            let keys = ["requires-python", "python_version", "python_full_version", "python"];
            let line = text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                keys.contains(&key.trim()).then(|| plain(value).trim_matches(['"', '\'']).to_owned())
            });
            line.map(|value| value.replace(',', " ")).into_iter().collect()
        }
        ".tool-versions" => {
            let line = text
                .lines()
                .find_map(|line| plain(line).strip_prefix("python ").map(|rest| rest.trim().to_owned()));
            line.into_iter().collect()
        }
        _ => text.lines().map(plain).filter(|line| !line.is_empty()).collect(),
    }
}

/// What a wanted version means; `3.13-dev` and `allow-prereleases` take in what is before a release.
fn range(call: &StepCall<'_>, wanted: &str) -> Result<VersionRange, SetupError> {
    let unknown = |help| SetupError::Version { tool: TOOL, wanted: wanted.to_owned(), help };
    if wanted.starts_with("pypy") || wanted.starts_with("graalpy") {
        return Err(unknown("only CPython is built in; `--actions=upstream` runs the published action"));
    }
    if wanted.ends_with('t') {
        return Err(unknown(
            "builds without the global lock are not looked for; `--actions=upstream` runs the published action",
        ));
    }
    let early = Given(call).boolean("allow-prereleases", false)?;
    let short = wanted.strip_suffix("-dev").or_else(|| early.then_some(wanted));
    let text = match short {
        Some(short) if short.split('.').count() == 2 && !short.contains(['x', '*', ' ']) => {
            format!("~{short}.0-0")
        }
        _ => dashed(wanted),
    };
    VersionRange::parse(&text).ok_or_else(|| unknown("write it as `3.12`, `3.x` or `>=3.10 <3.13`"))
}

/// Takes a version; gives it as it is written.
fn take(call: &mut StepCall<'_>, installed: &[Installed], wanted: &str) -> Result<String, SetupError> {
    let range = range(call, wanted)?;
    let by_uv;
    let taken = if let Some(taken) = choose(installed, &range) {
        taken
    } else {
        by_uv = install(call, wanted, &range, installed)?;
        &by_uv
    };
    let target = format!("{}/Python/{}/{}", call.steps.place.paths.tool_cache, taken.written, "x64");
    let failed = |said: &str| SetupError::Failed { tool: TOOL, said: said.trim().to_owned() };
    let prepared = capture(call, &[&taken.program, "-I", "-c", PREPARE, &target], &[])
        .map_err(|source| SetupError::Look { tool: TOOL, source })?;
    // Python 2 does not know how to be isolated.
    let place = match prepared.first_line() {
        place if prepared.is_success() && !place.is_empty() => place.to_owned(),
        _ if taken.version.major() < 3 => taken.prefix.clone(),
        _ => return Err(failed(&prepared.error)),
    };
    tell(call, TOOL, taken);
    if place != taken.prefix {
        call.voice.line(&format!("Packages are installed into {place}, which is this job's own"));
    }
    if Given(call).boolean("update-environment", true)? {
        update(call, &place);
    }
    set(&mut call.outputs, "python-version", taken.written.clone());
    set(&mut call.outputs, "python-path", format!("{place}/bin/python"));
    call.voice.line(&format!("Successfully set up CPython ({})", taken.written));
    Ok(taken.written.clone())
}

/// Has uv install a version, if there is uv.
fn install(
    call: &StepCall<'_>,
    wanted: &str,
    range: &VersionRange,
    installed: &[Installed],
) -> Result<Installed, SetupError> {
    let look_failed = |source| SetupError::Look { tool: TOOL, source };
    let text = r#"command -v uv >/dev/null 2>&1 || exit 127
UV_PYTHON_INSTALL_DIR="$RUNNER_TOOL_CACHE/uv-python" uv python install --no-progress "$1" || exit 1
p=$(UV_PYTHON_INSTALL_DIR="$RUNNER_TOOL_CACHE/uv-python" uv python find --managed-python "$1") || exit 1
"$p" -c 'import sys,platform; sys.stdout.write("%s\t%s\t%s\n" % (platform.python_version(), sys.base_prefix, sys.executable))'"#;
    let captured = script(call, text, &[wanted]).map_err(look_failed)?;
    if captured.is_success()
        && let Some(found) = captured.output.lines().filter_map(super::installed::read_line).next_back()
        && range.contains(&found.version)
    {
        call.voice.line(&format!("uv has installed Python {}", found.written));
        return Ok(found);
    }
    let said = captured.error.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let more = match captured.code {
        127 => ", or one with uv, which can install versions".to_owned(),
        _ => format!(" (uv could not install it: {said})"),
    };
    Err(missing(call, TOOL, wanted, installed, &more))
}

fn update(call: &StepCall<'_>, place: &str) {
    for name in ["pythonLocation", "Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"] {
        export(call, name, place);
    }
    export(call, "PKG_CONFIG_PATH", format!("{place}/lib/pkgconfig"));
    let library = format!("{place}/lib");
    let env = call.process_env();
    let known = get(&env, "LD_LIBRARY_PATH").unwrap_or_default();
    if !known.split(':').any(|entry| entry == library) {
        let rest = if known.is_empty() { String::new() } else { format!(":{known}") };
        export(call, "LD_LIBRARY_PATH", format!("{library}{rest}"));
    }
    call.steps.progress.add_path(place.to_owned());
    call.steps.progress.add_path(format!("{place}/bin"));
}

fn cache(call: &mut StepCall<'_>, version: &str) -> Result<(), SetupError> {
    let given = Given(call);
    let manager = given.text("cache").to_owned();
    if manager.is_empty() {
        return Ok(());
    }
    let (usual, paths): (&[&str], &str) = match manager.as_str() {
        "pip" => (&["**/requirements.txt", "**/pyproject.toml"], "~/.cache/pip"),
        "pipenv" => (&["**/Pipfile.lock"], "~/.local/share/virtualenvs"),
        "poetry" => (&["**/poetry.lock"], "~/.cache/pypoetry"),
        _ => return Err(SetupError::Manager(manager)),
    };
    let own = given.lines("cache-dependency-path");
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let digest = if own.is_empty() {
        // The second is used only if nothing fits the first.
        let mut digest = String::new();
        for pattern in usual {
            if digest.is_empty() {
                digest = hash(call, &[pattern])?;
            }
        }
        digest
    } else {
        hash(call, &own)?
    };
    if digest.is_empty() {
        let patterns = if own.is_empty() { usual.join(" or ") } else { own.join(",") };
        let workspace = &call.steps.place.paths.workspace;
        return Err(SetupError::NoLock(format!(
            "No file in {workspace} matched to [{patterns}], make sure you have checked out the target repository"
        )));
    }
    let platform = super::cached::platform();
    let prefix = format!("setup-python-{platform}-python-{version}-{manager}");
    let cached = Cached {
        restore: if manager == "pip" { vec![prefix.clone()] } else { Vec::new() },
        prefix,
        paths: vec![paths.to_owned()],
        save: true,
        always: false,
    };
    cached.restore(call, &digest)
}

#[cfg(test)]
mod tests {
    use super::from_file;

    #[test]
    fn versions_stand_in_files() {
        let table: [(&str, &str, &[&str]); 5] = [
            (".python-version", "3.12.1\n# old\n3.11\n", &["3.12.1", "3.11"]),
            (
                "pyproject.toml",
                "[project]\nname = \"x\"\nrequires-python = \">=3.10,<3.13\"\n",
                &[">=3.10 <3.13"],
            ),
            ("sub/pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.11\"\n", &["^3.11"]),
            (".tool-versions", "nodejs 20\npython 3.12.1\n", &["3.12.1"]),
            ("pyproject.toml", "[project]\n", &[]),
        ];
        for (name, text, wanted) in table {
            assert_eq!(from_file(name, text), wanted, "{name}");
        }
    }
}
