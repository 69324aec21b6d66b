//! `actions/setup-java`.

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::cached::{Cached, hash};
use super::failure::{SetupError, end};
use super::installed::{Installed, choose, export, look, missing, tell};
use super::matcher::{JAVA, register};
use super::version::VersionRange;
use crate::environment::set;
use crate::handler::HandlerEnd;
use crate::step::StepCall;

const TOOL: &str = "Java";

/// Each Java has a file `release` with its version and who built it; the latter stands where other tools have a program.
const LOOK: &str = r#"seen=' '
at() { d=$(readlink -f "$1" 2>/dev/null) || return 0; [ -x "$d/bin/java" ] || return 0; case "$seen" in *" $d "*) return 0;; esac; seen="$seen$d "
v= ; b= ; [ -r "$d/release" ] && while IFS='=' read -r k x; do x=${x#\"}; x=${x%\"}; case "$k" in JAVA_VERSION) v=$x;; IMPLEMENTOR) b=$x;; esac; done < "$d/release"
[ -n "$v" ] && printf '%s\t%s\t%s\n' "$v" "$d" "$b"; }
[ -n "$JAVA_HOME" ] && at "$JAVA_HOME"
p=$(command -v java) && p=$(readlink -f "$p") && at "${p%/bin/java}"
for d in "${RUNNER_TOOL_CACHE:-/nowhere}"/Java_*/*/x64 /usr/lib/jvm/* /opt/java/* "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/*; do at "$d"; done
exit 0"#;

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = setup(call);
    end(call, result)
}

fn setup(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let distribution = given.text("distribution").to_owned();
    let is_default = given.boolean("set-default", true)?;
    let installed = look(call, TOOL, LOOK)?;
    for wanted in versions(call)? {
        let range =
            VersionRange::parse(wanted.trim_end_matches("-ea")).ok_or_else(|| SetupError::Version {
                tool: TOOL,
                wanted: wanted.clone(),
                help: "write it as `17`, `17.0.10` or `21-ea`",
            })?;
        let taken = pick(&installed, &range, &distribution)
            .ok_or_else(|| missing(call, TOOL, &wanted, &installed, ""))?;
        tell(call, TOOL, taken);
        if !distribution.is_empty() && !is_of(taken, &distribution) {
            let built = if taken.program.is_empty() { "somebody else" } else { &taken.program };
            call.voice.warning(&format!("the image has no Java {wanted} of `{distribution}`; the one that is used was built by {built}"));
        }
        export(call, &format!("JAVA_HOME_{}_X64", taken.version.major()), taken.prefix.clone());
        if is_default {
            export(call, "JAVA_HOME", taken.prefix.clone());
            call.steps.progress.add_path(format!("{}/bin", taken.prefix));
        }
        set(&mut call.outputs, "distribution", distribution.clone());
        set(&mut call.outputs, "path", taken.prefix.clone());
        set(&mut call.outputs, "version", taken.written.clone());
    }
    register(call, JAVA);
    cache(call)
}

/// What versions are wanted, in order.
fn versions(call: &StepCall<'_>) -> Result<Vec<String>, SetupError> {
    let given = Given(call);
    let versions = given.lines("java-version");
    if !versions.is_empty() {
        return Ok(versions);
    }
    let name = given.text("java-version-file");
    if name.is_empty() {
        return Err(super::super::inputs::InputError::Missing("java-version").into());
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let path = files.absolute(name);
    let content = files.read(&path, 1 << 20)?;
    let content = content.ok_or_else(|| SetupError::NoFile { tool: "java", path: path.clone() })?;
    let found = from_file(&String::from_utf8_lossy(&content));
    found.map(|version| vec![version]).ok_or(SetupError::NoVersion { tool: TOOL, path })
}

/// The numbers of the first line that speaks of Java: `17`, `java temurin-17.0.10+7`, `java=21.0.5-tem`.
fn from_file(text: &str) -> Option<String> {
    let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let line = lines
        .find(|line| line.starts_with("java") || line.starts_with(|digit: char| digit.is_ascii_digit()))?;
    let start = line.find(|character: char| character.is_ascii_digit())?;
    let numbers = line.get(start..)?;
    let end = numbers
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(numbers.len());
    numbers.get(..end).map(str::to_owned)
}

/// The newest that fits, of who was asked for if there is one.
fn pick<'i>(installed: &'i [Installed], range: &VersionRange, distribution: &str) -> Option<&'i Installed> {
    let wanted: Vec<Installed> =
        installed.iter().filter(|found| is_of(found, distribution)).cloned().collect();
    let found = choose(&wanted, range).and_then(|best| installed.iter().find(|found| *found == best));
    found.or_else(|| choose(installed, range))
}

fn is_of(installed: &Installed, distribution: &str) -> bool {
    let builder = match distribution {
        "temurin" | "adopt" | "adopt-hotspot" => "Eclipse Adoptium",
        "zulu" => "Azul",
        "liberica" => "BellSoft",
        "corretto" => "Amazon",
        "microsoft" => "Microsoft",
        "oracle" => "Oracle",
        "semeru" | "adopt-openj9" => "IBM",
        "sapmachine" => "SAP",
        "graalvm" | "graalvm-community" => "GraalVM",
        "dragonwell" => "Alibaba",
        "jetbrains" => "JetBrains",
        _ => return false,
    };
    installed.program.contains(builder)
}

fn cache(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let manager = given.text("cache").to_owned();
    let (patterns, paths): (&[&str], &[&str]) = match manager.as_str() {
        "" => return Ok(()),
        "maven" => (
            &["**/pom.xml", "**/.mvn/wrapper/maven-wrapper.properties"],
            &["~/.m2/repository", "~/.m2/wrapper/dists"],
        ),
        "gradle" => (
            &[
                "**/*.gradle*",
                "**/gradle-wrapper.properties",
                "buildSrc/**/Versions.kt",
                "gradle/*.versions.toml",
            ],
            &["~/.gradle/caches", "~/.gradle/wrapper"],
        ),
        "sbt" => (
            &["**/*.sbt", "**/project/build.properties", "**/project/**.scala", "**/project/**.sbt"],
            &["~/.ivy2/cache", "~/.sbt", "~/.cache/coursier"],
        ),
        _ => return Err(SetupError::Manager(manager)),
    };
    let own = given.lines("cache-dependency-path");
    let patterns = if own.is_empty() { patterns.to_vec() } else { own.iter().map(String::as_str).collect() };
    let digest = hash(call, &patterns)?;
    if digest.is_empty() {
        let workspace = &call.steps.place.paths.workspace;
        return Err(SetupError::NoLock(format!(
            "No file in {workspace} matched to [{}], make sure you have checked out the target repository",
            patterns.join(",")
        )));
    }
    let platform = super::cached::platform();
    let prefix = format!("setup-java-{platform}-{manager}");
    let save = !given.boolean("cache-read-only", false)?;
    let paths = paths.iter().map(ToString::to_string).collect();
    let cached = Cached { prefix: prefix.clone(), restore: Vec::new(), paths, save, always: false };
    cached.restore(call, &digest)?;
    set(&mut call.outputs, "cache-primary-key", format!("{prefix}-{digest}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::from_file;

    #[test]
    fn versions_stand_in_files() {
        let table = [
            ("17\n", Some("17")),
            ("java temurin-17.0.10+7\n", Some("17.0.10")),
            ("# sdkman\njava=21.0.5-tem\n", Some("21.0.5")),
            ("nothing\n", None),
        ];
        for (text, wanted) in table {
            assert_eq!(from_file(text).as_deref(), wanted, "{text}");
        }
    }
}
