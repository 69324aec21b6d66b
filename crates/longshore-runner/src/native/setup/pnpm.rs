//! `pnpm/action-setup`.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::capture::script;
use super::failure::{SetupError, end};
use super::fetched::{Failure, Fetched};
use super::installed::{Installed, choose, export, look, missing, tell};
use super::version::VersionRange;
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "pnpm";

const LOOK: &str = r#"IFS=:; for d in $PATH; do [ -x "$d/pnpm" ] && v=$(cd / && "$d/pnpm" --version 2>/dev/null) && printf '%s\t%s\t%s\n' "$v" "$d" "$d/pnpm"; done
exit 0"#;

/// Installs a version with npm below a directory.
const INSTALL: &str = r#"mkdir -p "$2" && cd "$2" && npm install --loglevel error --no-audit --no-fund --prefix "$2" "pnpm@$1" >&2 || exit 1
b="$2/node_modules/.bin"; printf '%s\t%s\t%s\n' "$("$b/pnpm" --version)" "$b" "$b/pnpm""#;

/// Says which version is below a directory.
const FETCHED: &str =
    r#"b="$1/node_modules/.bin"; v=$("$b/pnpm" --version) && printf '%s\t%s\t%s\n' "$v" "$b" "$b/pnpm""#;

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let files = JobFiles::open(call.steps.place)?;
    let destination = files.absolute(given.text_or("dest", "~/setup-pnpm")).display().to_string();
    drop(files);
    let wanted = wanted(call)?;
    let text = if wanted == "latest" { "*" } else { &wanted };
    let range = VersionRange::parse(text).ok_or_else(|| SetupError::Version {
        tool: TOOL,
        wanted: wanted.clone(),
        help: "write it as `9`, `9.1.0` or `latest`",
    })?;
    let installed = look(call, TOOL, LOOK)?;
    let taken = match choose(&installed, &range) {
        Some(taken) => taken.clone(),
        None => install(call, &wanted, &destination, &installed)?,
    };
    tell(call, TOOL, &taken);
    call.steps.progress.add_path(taken.prefix.clone());
    export(call, "PNPM_HOME", taken.prefix.clone());
    let run_install = given.text("run_install").to_owned();
    set(&mut call.outputs, "dest", destination);
    set(&mut call.outputs, "bin-dest", taken.prefix.clone());
    match run_install.as_str() {
        "" | "null" | "false" => Ok(()),
        "true" => {
            let captured = script(call, "\"$1\" install", &[&taken.program]);
            let captured = captured.map_err(|source| SetupError::Look { tool: TOOL, source })?;
            call.voice.line(&captured.output);
            let said = captured.error.trim().to_owned();
            if captured.is_success() { Ok(()) } else { Err(SetupError::Failed { tool: TOOL, said }) }
        }
        other => Err(SetupError::Version {
            tool: "`run_install`",
            wanted: other.to_owned(),
            help: "`true` is built in, and lists are not: run `pnpm install` in a step, or use `--actions=upstream`",
        }),
    }
}

/// The version that is given, or that `packageManager` of `package.json` names.
fn wanted(call: &StepCall<'_>) -> Result<String, SetupError> {
    let given = Given(call);
    if !given.text("version").is_empty() {
        return Ok(given.text("version").to_owned());
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let path = files.absolute(given.text_or("package_json_file", "package.json"));
    let content = files.read(&path, 1 << 20)?.unwrap_or_default();
    let document: serde_json::Value = serde_json::from_slice(&content).unwrap_or_default();
    let named = document.pointer("/packageManager").and_then(|value| value.as_str());
    let version =
        named.and_then(|named| named.strip_prefix("pnpm@")).and_then(|named| named.split('+').next());
    version.map(str::to_owned).ok_or_else(|| {
        SetupError::NoLock(
            "No pnpm version is specified. Please specify it by one of the following ways:\n  - in the GitHub Action config with the key \"version\"\n  - in the package.json with the key \"packageManager\"".to_owned(),
        )
    })
}

fn install(
    call: &StepCall<'_>,
    wanted: &str,
    destination: &str,
    installed: &[Installed],
) -> Result<Installed, SetupError> {
    let fetched = Fetched { tool: TOOL, wanted, place: destination, install: INSTALL, look: FETCHED };
    fetched.fetch(call, wanted).map_err(|failure| match failure {
        Failure::Broken(error) => error,
        Failure::Said(said) => {
            missing(call, TOOL, wanted, installed, &format!(" (npm could not install it: {said})"))
        }
    })
}
