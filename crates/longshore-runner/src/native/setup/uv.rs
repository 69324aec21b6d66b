//! `astral-sh/setup-uv`.
//!
//! Without uv in the image it comes from the Python package index, by the image's pip.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::capture::script;
use super::failure::{SetupError, end};
use super::fetched::{Failure, Fetched};
use super::installed::{Installed, add_path, choose, export, look, missing, tell};
use super::version::VersionRange;
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "uv";

const LOOK: &str = r#"at() { v=$("$1" --version 2>/dev/null) || return 0; v=${v#uv }; printf '%s\t%s\t%s\n' "${v%% *}" "${1%/uv}" "$1"; }
IFS=:; for d in $PATH "$HOME/.local/bin" "$HOME/.cargo/bin"; do [ -x "$d/uv" ] && at "$d/uv"; done
exit 0"#;

/// Installs a version with pip into a directory.
const INSTALL: &str = r#"IFS=:; p=
for d in $PATH "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin; do case "$d" in */shims) continue;; esac
[ -x "$d/python3" ] && "$d/python3" -m pip --version >/dev/null 2>&1 && p="$d/python3" && break; done; unset IFS
[ -n "$p" ] || { echo "there is no pip" >&2; exit 1; }
"$p" -m pip install --quiet --disable-pip-version-check --no-deps --target "$2" "uv$1" >&2 || exit 1
v=$("$2/bin/uv" --version) || exit 1; v=${v#uv }; printf '%s\t%s\t%s\n' "${v%% *}" "$2/bin" "$2/bin/uv""#;

/// Says which version is in a directory.
const FETCHED: &str = r#"v=$("$1/bin/uv" --version) || exit 1; v=${v#uv }; printf '%s\t%s\t%s\n' "${v%% *}" "$1/bin" "$1/bin/uv""#;

/// What decides about the cache, unless the step says so.
const DEPENDENCIES: [&str; 7] = [
    "**/*requirements*.txt",
    "**/*requirements*.in",
    "**/*constraints*.txt",
    "**/*constraints*.in",
    "**/pyproject.toml",
    "**/uv.lock",
    "**/*.py.lock",
];

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let wanted = wanted(call)?;
    let text = if wanted == "latest" { "*" } else { &wanted };
    let range = VersionRange::parse(&text.replace(',', " ")).ok_or_else(|| SetupError::Version {
        tool: TOOL,
        wanted: wanted.clone(),
        help: "write it as `0.5.0`, `0.5.x` or `latest`",
    })?;
    let installed = look(call, TOOL, LOOK)?;
    let fetched;
    let taken = if let Some(taken) = choose(&installed, &range) {
        taken
    } else {
        fetched = install(call, &wanted, &installed)?;
        &fetched
    };
    tell(call, TOOL, taken);
    add_path(call, &taken.prefix, installed.first().is_some_and(|first| first.program == taken.program));
    set(&mut call.outputs, "uv-version", taken.written.clone());
    set(&mut call.outputs, "uv-path", taken.program.clone());
    set(&mut call.outputs, "uvx-path", format!("{}/uvx", taken.prefix));
    let taken = taken.clone();
    environment(call, &taken)?;
    cache(call, &taken.written)
}

fn wanted(call: &StepCall<'_>) -> Result<String, SetupError> {
    let given = Given(call);
    if !given.text("version").is_empty() {
        return Ok(given.text("version").to_owned());
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let own = given.text("version-file");
    let names = if own.is_empty() { vec!["uv.toml", "pyproject.toml"] } else { vec![own] };
    for name in names {
        let path = files.absolute(name);
        let Some(content) = files.read(&path, 1 << 20)? else {
            if own.is_empty() {
                continue;
            }
            return Err(SetupError::NoFile { tool: TOOL, path });
        };
        let text = String::from_utf8_lossy(&content).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("required-version")?.trim().strip_prefix('='));
        if let Some(value) = line {
            return Ok(value.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    Ok("latest".to_owned())
}

fn install(call: &StepCall<'_>, wanted: &str, installed: &[Installed]) -> Result<Installed, SetupError> {
    let is_plain = wanted.starts_with(|first: char| first.is_ascii_digit());
    let specifier = match wanted {
        "latest" => String::new(),
        exact if is_plain && !exact.contains(['x', '*']) => format!("=={exact}"),
        range if is_plain => format!("=={}", range.replace('x', "*")),
        range => range.to_owned(),
    };
    // A directory for each wish: versions that a job asks for one after the other do not meet.
    let name: String =
        wanted.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '.' }).collect();
    let place = format!("{}/uv/{name}", call.steps.place.paths.tool_cache);
    let fetched = Fetched { tool: TOOL, wanted, place: &place, install: INSTALL, look: FETCHED };
    fetched.fetch(call, &specifier).map_err(|failure| match failure {
        Failure::Broken(error) => error,
        Failure::Said(said) => {
            missing(call, TOOL, wanted, installed, &format!(" (pip could not install it: {said})"))
        }
    })
}

fn environment(call: &mut StepCall<'_>, uv: &Installed) -> Result<(), SetupError> {
    let given = Given(call);
    let python = given.text("python-version").to_owned();
    let (tools, bin) = (given.text("tool-dir").to_owned(), given.text("tool-bin-dir").to_owned());
    let activate = given.boolean("activate-environment", false)?;
    let directory = given.text("working-directory").to_owned();
    let venv = given.text_or("venv-path", ".venv").to_owned();
    if !python.is_empty() {
        export(call, "UV_PYTHON", python.clone());
        set(&mut call.outputs, "python-version", python.clone());
    }
    if !tools.is_empty() {
        export(call, "UV_TOOL_DIR", tools);
    }
    if !bin.is_empty() {
        export(call, "UV_TOOL_BIN_DIR", bin.clone());
        call.steps.progress.add_path(bin);
    }
    if !activate {
        return Ok(());
    }
    let files = JobFiles::open(call.steps.place)?;
    let base = files.absolute(&directory);
    let venv = base.join(
        venv.strip_prefix("~/")
            .map_or(venv.clone(), |rest| files.absolute(&format!("~/{rest}")).display().to_string()),
    );
    drop(files);
    let venv = venv.display().to_string();
    let text = r#"cd "$4" && if [ -n "$3" ]; then "$1" venv --clear --python "$3" "$2"; else "$1" venv --clear "$2"; fi"#;
    let made = script(call, text, &[&uv.program, &venv, &python, &base.display().to_string()])
        .map_err(|source| SetupError::Look { tool: TOOL, source })?;
    if !made.is_success() {
        return Err(SetupError::Failed { tool: TOOL, said: made.error.trim().to_owned() });
    }
    call.voice.line(&format!("Activating python venv {venv}"));
    call.steps.progress.add_path(format!("{venv}/bin"));
    export(call, "VIRTUAL_ENV", venv.clone());
    set(&mut call.outputs, "venv", venv);
    Ok(())
}

fn cache(call: &mut StepCall<'_>, version: &str) -> Result<(), SetupError> {
    let given = Given(call);
    // Where nothing else is said, GitHub's own machines cache; so do we.
    let is_wanted = match given.text("enable-cache") {
        "" | "auto" => true,
        _ => given.boolean("enable-cache", true)?,
    };
    if !is_wanted {
        return Ok(());
    }
    let path = match given.text("cache-local-path") {
        "" => format!("{}/setup-uv-cache", call.steps.place.paths.temp),
        path => path.to_owned(),
    };
    let (restore, save) = (given.boolean("restore-cache", true)?, given.boolean("save-cache", true)?);
    let own = given.lines("cache-dependency-glob");
    let patterns: Vec<&str> =
        if own.is_empty() { DEPENDENCIES.to_vec() } else { own.iter().map(String::as_str).collect() };
    let digest = hash(call, &patterns)?;
    let suffix = given.text("cache-suffix");
    let suffix = if suffix.is_empty() { String::new() } else { format!("-{suffix}") };
    let python = given.text_or("python-version", "any");
    let digest = if digest.is_empty() { "no-dependency-glob".to_owned() } else { digest };
    let platform = super::cached::platform();
    let prefix = format!("setup-uv-{platform}-{version}-{python}{suffix}");
    export(call, "UV_CACHE_DIR", path.clone());
    set(&mut call.outputs, "cache-key", format!("{prefix}-{digest}"));
    let cached = Cached { prefix, restore: Vec::new(), paths: vec![path], save, always: false };
    if restore {
        return cached.restore(call, &digest);
    }
    set(&mut call.outputs, "cache-hit", "false".to_owned());
    Ok(())
}
