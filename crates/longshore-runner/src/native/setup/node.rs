//! `actions/setup-node`.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::capture::script;
use super::failure::{SetupError, end};
use super::installed::{Installed, add_path, choose, export, is_set, look, missing, read_line, tell};
use super::matcher::{NODE, register};
use super::version::{Version, VersionRange};
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "Node.js";

const LOOK: &str = r#"seen=' '
asked() { r=$(readlink -f "$1" 2>/dev/null) || return 0; case "$seen" in *" $r "*) return 0;; esac; seen="$seen$r "
v=$("$1" --version 2>/dev/null) && d=${1%/bin/*} && printf '%s\t%s\t%s\n' "$v" "$d" "$1"; }
named() { [ -x "$2/bin/node" ] && printf '%s\t%s\t%s\n' "$1" "$2" "$2/bin/node"; }
IFS=:; for d in $PATH; do case "$d" in */shims) continue;; esac; [ -x "$d/node" ] && asked "$d/node"; done; unset IFS
for d in "${RUNNER_TOOL_CACHE:-/nowhere}"/node/*/x64; do v=${d%/x64}; named "${v##*/}" "$d"; done
for d in "${NVM_DIR:-$HOME/.nvm}"/versions/node/v* "${NODENV_ROOT:-$HOME/.nodenv}"/versions/[0-9]* "${VOLTA_HOME:-$HOME/.volta}"/tools/image/node/[0-9]*; do named "${d##*/}" "$d"; done
exit 0"#;

/// The releases with long support, by their names.
const LTS: [(&str, u64); 11] = [
    ("krypton", 24),
    ("jod", 22),
    ("iron", 20),
    ("hydrogen", 18),
    ("gallium", 16),
    ("fermium", 14),
    ("erbium", 12),
    ("dubnium", 10),
    ("carbon", 8),
    ("boron", 6),
    ("argon", 4),
];

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    if let Some(wanted) = wanted(call)? {
        let installed = look(call, TOOL, LOOK)?;
        let range = range(&wanted, &installed)?;
        let brought;
        let taken = if let Some(taken) = choose(&installed, &range) {
            taken
        } else {
            brought = bring(call, &wanted, &range, &installed)?;
            &brought
        };
        tell(call, TOOL, taken);
        let is_first = installed.first().is_some_and(|first| first.program == taken.program);
        add_path(call, &format!("{}/bin", taken.prefix), is_first);
    }
    describe(call)?;
    authenticate(call)?;
    cache(call)?;
    register(call, NODE);
    Ok(())
}

/// What version is wanted, if one is.
fn wanted(call: &StepCall<'_>) -> Result<Option<String>, SetupError> {
    let given = Given(call);
    let version = given.text_or("node-version", given.text("version"));
    if !version.is_empty() {
        return Ok(Some(version.to_owned()));
    }
    let name = given.text("node-version-file");
    if name.is_empty() {
        return Ok(None);
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let path = files.absolute(name);
    let content = files.read(&path, 1 << 20)?;
    let content = content.ok_or_else(|| SetupError::NoFile { tool: "node", path: path.clone() })?;
    let found = from_file(name, &String::from_utf8_lossy(&content));
    let found = found.ok_or(SetupError::NoVersion { tool: TOOL, path })?;
    call.voice.line(&format!("Resolved {name} as {found}"));
    Ok(Some(found))
}

fn from_file(name: &str, text: &str) -> Option<String> {
    if name.ends_with("package.json") {
        let document: serde_json::Value = serde_json::from_str(text).ok()?;
        let at =
            |pointer: &str| document.pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned);
        let engine = document.pointer("/devEngines/runtime");
        let engines = engine
            .into_iter()
            .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
        let is_node =
            |value: &serde_json::Value| value.get("name").and_then(|name| name.as_str()) == Some("node");
        let engine = engines
            .into_iter()
            .find(is_node)
            .and_then(|value| Some(value.get("version")?.as_str()?.to_owned()));
        return at("/volta/node").or(engine).or_else(|| at("/engines/node"));
    }
    let mut lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty());
    if name.ends_with(".tool-versions") {
        let mut tools = lines.filter_map(|line| line.split_once(char::is_whitespace));
        return tools
            .find(|(tool, _)| ["node", "nodejs"].contains(tool))
            .map(|(_, version)| version.trim().to_owned());
    }
    lines.next().map(|line| line.trim_start_matches('v').to_owned())
}

fn range(wanted: &str, installed: &[Installed]) -> Result<VersionRange, SetupError> {
    let unknown = || SetupError::Version {
        tool: TOOL,
        wanted: wanted.to_owned(),
        help: "write it as `20`, `20.x`, `>=18` or `lts/*`",
    };
    let lower = wanted.to_lowercase();
    let text = match lower.as_str() {
        "latest" | "current" | "node" => "*".to_owned(),
        "lts/*" | "lts" | "lts/-0" => {
            let newest = installed
                .iter()
                .map(|found| found.version.major())
                .filter(|major| LTS.iter().any(|(_, lts)| lts == major))
                .max();
            newest.or_else(|| LTS.first().map(|(_, major)| *major)).unwrap_or_default().to_string()
        }
        other => match other.strip_prefix("lts/") {
            Some(name) => {
                let back = name.strip_prefix('-').and_then(|number| number.parse::<usize>().ok());
                let found = match back {
                    Some(back) => LTS.get(back),
                    None => LTS.iter().find(|(known, _)| *known == name),
                };
                found.map(|(_, major)| major.to_string()).ok_or_else(unknown)?
            }
            None => lower.clone(),
        },
    };
    VersionRange::parse(&text).ok_or_else(unknown)
}

/// Brings a version from the npm registry into the tool cache, as actions on Node get theirs.
fn bring(
    call: &StepCall<'_>,
    wanted: &str,
    range: &VersionRange,
    installed: &[Installed],
) -> Result<Installed, SetupError> {
    // The highest minor version that a major one can have tells whether that one is asked for.
    let fits = |major: &&u64| {
        Version::parse(&format!("{major}.9999.9999")).is_some_and(|version| range.contains(&version))
    };
    let majors = [24, 22, 20, 26, 18];
    let major = majors.iter().find(fits).copied().or_else(|| wanted.split('.').next()?.parse().ok());
    let Some(major) = major.and_then(|major| u32::try_from(major).ok()) else {
        return Err(missing(call, TOOL, wanted, installed, ""));
    };
    let source = call.steps.run.runner.actions.node(major);
    let directory = source.map_err(|error| {
        let more = format!(" (the npm registry was asked: {})", error.message);
        missing(call, TOOL, wanted, installed, &more)
    })?;
    let files = JobFiles::open(call.steps.place)?;
    // It lies in a directory that is called as its version is, and is found there by that name.
    let version = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let target = format!("{}/node/{version}/x64", call.steps.place.paths.tool_cache);
    files.send(&directory, std::path::Path::new(&target))?;
    let text = r#"v=$("$1/bin/node" --version) && printf '%s\t%s\t%s\n' "$v" "$1" "$1/bin/node""#;
    let asked = script(call, text, &[&target]).map_err(|source| SetupError::Look { tool: TOOL, source })?;
    let found = asked.output.lines().find_map(read_line);
    match found {
        Some(found) if range.contains(&found.version) => {
            call.voice.line(&format!("Node.js {} comes from the npm registry", found.written));
            Ok(found)
        }
        Some(found) => {
            let more = format!(" (the npm registry's newest {major} is {})", found.written);
            Err(missing(call, TOOL, wanted, installed, &more))
        }
        None => Err(SetupError::Failed { tool: TOOL, said: asked.error.trim().to_owned() }),
    }
}

/// Says what is used from now on.
fn describe(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let text = "for t in node npm yarn; do v=$($t --version 2>/dev/null | head -n 1); echo \"$t: $v\"; done";
    let captured = script(call, text, &[]).map_err(|source| SetupError::Look { tool: TOOL, source })?;
    call.voice.line("##[group]Environment details");
    call.voice.line(&captured.output);
    call.voice.line("##[endgroup]");
    let version = captured.output.lines().find_map(|line| line.strip_prefix("node: ")).unwrap_or_default();
    set(&mut call.outputs, "node-version", version.to_owned());
    if !captured
        .output
        .lines()
        .any(|line| line.strip_prefix("npm: ").is_some_and(|version| !version.trim().is_empty()))
    {
        call.voice.warning("there is no npm in the image");
    }
    Ok(())
}

/// Lets npm log in to a registry with what `NODE_AUTH_TOKEN` holds.
fn authenticate(call: &StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let registry = given.text("registry-url");
    if registry.is_empty() {
        return Ok(());
    }
    let address = if registry.ends_with('/') { registry.to_owned() } else { format!("{registry}/") };
    let scope = given.text("scope").to_lowercase();
    let scope = if scope.is_empty() || scope.starts_with('@') { scope } else { format!("@{scope}") };
    let scope = if scope.is_empty() { scope } else { format!("{scope}:") };
    let host = address.split_once(':').map_or(address.as_str(), |(_, rest)| rest);
    let content = format!("{host}:_authToken=${{NODE_AUTH_TOKEN}}\n{scope}registry={address}\n");
    let path = format!("{}/.npmrc", call.steps.place.paths.temp);
    let written = script(call, "printf '%s' \"$2\" > \"$1\"", &[&path, &content]);
    let written = written.map_err(|source| SetupError::Look { tool: TOOL, source })?;
    if !written.is_success() {
        return Err(SetupError::Failed { tool: TOOL, said: written.error.trim().to_owned() });
    }
    export(call, "NPM_CONFIG_USERCONFIG", path);
    if !is_set(call, "NODE_AUTH_TOKEN") {
        export(call, "NODE_AUTH_TOKEN", "XXXXX-XXXXX-XXXXX-XXXXX");
    }
    Ok(())
}

fn cache(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let manager = given.text("cache").to_owned();
    if manager.is_empty() {
        return Ok(());
    }
    let (locks, paths): (&[&str], &[&str]) = match manager.as_str() {
        "npm" => (&["package-lock.json", "npm-shrinkwrap.json", "yarn.lock"], &["~/.npm"]),
        "yarn" => (&["yarn.lock"], &["~/.cache/yarn", "~/.yarn/berry/cache"]),
        "pnpm" => (&["pnpm-lock.yaml"], &["~/.local/share/pnpm/store"]),
        _ => return Err(SetupError::Manager(manager)),
    };
    let own = given.lines("cache-dependency-path");
    let digest = if own.is_empty() {
        let mut files = JobFiles::open(call.steps.place)?;
        let mut found = None;
        for lock in locks {
            if found.is_none() && files.exists(&files.absolute(lock))? {
                found = Some(*lock);
            }
        }
        let workspace = &call.steps.place.paths.workspace;
        let found = found.ok_or_else(|| {
            SetupError::NoLock(format!(
                "Dependencies lock file is not found in {workspace}. Supported file patterns: {}",
                locks.join(",")
            ))
        })?;
        hash(call, &[found])?
    } else {
        hash(call, &own.iter().map(String::as_str).collect::<Vec<_>>())?
    };
    if digest.is_empty() {
        let text = "Some specified paths were not resolved, unable to cache dependencies.";
        return Err(SetupError::NoLock(text.to_owned()));
    }
    let platform = super::cached::platform();
    let prefix = format!("node-cache-{platform}-{manager}");
    let paths = paths.iter().map(ToString::to_string).collect();
    let cached = Cached { restore: vec![prefix.clone()], prefix, paths, save: true, always: false };
    cached.restore(call, &digest)
}

#[cfg(test)]
mod tests {
    use super::{from_file, range};
    use crate::native::setup::version::Version;

    #[test]
    fn versions_stand_in_files() {
        let table = [
            (".nvmrc", "v20.1.0\n", Some("20.1.0")),
            (".nvmrc", "# c\nlts/*\n", Some("lts/*")),
            ("package.json", r#"{"engines":{"node":">=18"},"volta":{"node":"20.1.0"}}"#, Some("20.1.0")),
            ("package.json", r#"{"devEngines":{"runtime":[{"name":"node","version":"22"}]}}"#, Some("22")),
            ("package.json", "{}", None),
            (".tool-versions", "python 3\nnodejs 20.1.0\n", Some("20.1.0")),
        ];
        for (name, text, wanted) in table {
            assert_eq!(from_file(name, text).as_deref(), wanted, "{name}: {text}");
        }
    }

    #[test]
    fn names_of_releases_are_known() {
        let contains = |wanted: &str, version: &str| {
            range(wanted, &[]).unwrap().contains(&Version::parse(version).unwrap())
        };
        assert!(contains("lts/iron", "20.3.0") && !contains("lts/iron", "22.0.0"));
        assert!(contains("lts/-1", "22.1.0") && contains("latest", "25.0.0"));
        assert!(range("lts/nobody", &[]).is_err());
    }
}
