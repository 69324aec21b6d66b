//! Instructions of a Dockerfile that change how an image is run, as `import --change` takes them.

use longshore_oci::{ExecutionConfig, Healthcheck};

use super::words::{json_list, pairs, split};

/// An instruction cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It changes something else than how an image is run, or is none at all.
    #[error(
        "`{0}` is no instruction that can change an image; these can: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, \
         ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR"
    )]
    Unknown(String),
    /// It has no arguments, or wrong ones.
    #[error("`{instruction}` cannot be `{arguments}`: {problem}")]
    Arguments {
        /// The instruction.
        instruction: String,
        /// What follows it.
        arguments: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Applies one instruction.
pub(super) fn apply(text: &str, config: &mut ExecutionConfig) -> Result<(), ChangeError> {
    let text = text.trim();
    let (instruction, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (instruction, arguments) = (instruction.to_ascii_uppercase(), arguments.trim());
    let change: fn(&str, &mut ExecutionConfig) -> Result<(), &'static str> = match instruction.as_str() {
        "CMD" => |text, config| {
            config.cmd = Some(command(text));
            Ok(())
        },
        "ENTRYPOINT" => |text, config| {
            config.entrypoint = Some(command(text));
            Ok(())
        },
        "ENV" => env,
        "EXPOSE" => expose,
        "HEALTHCHECK" => healthcheck,
        "LABEL" => |text, config| {
            config.labels.extend(pairs(text).ok_or("write `name=value`")?);
            Ok(())
        },
        "ONBUILD" => on_build,
        "STOPSIGNAL" => |text, config| {
            config.stop_signal = Some(text.to_owned());
            Ok(())
        },
        "USER" => |text, config| {
            text.clone_into(&mut config.user);
            Ok(())
        },
        "VOLUME" => volume,
        "WORKDIR" => |text, config| {
            workdir(text, config);
            Ok(())
        },
        _ => return Err(ChangeError::Unknown(instruction)),
    };
    let wrong = |problem| ChangeError::Arguments {
        instruction: instruction.clone(),
        arguments: arguments.to_owned(),
        problem,
    };
    if arguments.is_empty() {
        return Err(wrong("it needs an argument"));
    }
    change(arguments, config).map_err(wrong)
}

/// A list in JSON, or a line for the shell.
fn command(text: &str) -> Vec<String> {
    json_list(text).unwrap_or_else(|| ["/bin/sh", "-c", text].map(str::to_owned).to_vec())
}

fn env(text: &str, config: &mut ExecutionConfig) -> Result<(), &'static str> {
    for (name, value) in pairs(text).ok_or("write `NAME=value`")? {
        let prefix = format!("{name}=");
        let variable = format!("{prefix}{value}");
        match config.env.iter_mut().find(|each| each.starts_with(&prefix)) {
            Some(existing) => *existing = variable,
            None => config.env.push(variable),
        }
    }
    Ok(())
}

fn expose(text: &str, config: &mut ExecutionConfig) -> Result<(), &'static str> {
    const PROBLEM: &str = "write ports as `80`, `53/udp` or `8000-8010/tcp`";
    for word in text.split_whitespace() {
        let (ports, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
        let protocol = protocol.to_ascii_lowercase();
        if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
            return Err(PROBLEM);
        }
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (first, last): (u16, u16) =
            (first.parse().map_err(|_| PROBLEM)?, last.parse().map_err(|_| PROBLEM)?);
        if first > last {
            return Err(PROBLEM);
        }
        config.exposed_ports.extend((first..=last).map(|port| format!("{port}/{protocol}")));
    }
    Ok(())
}

fn on_build(text: &str, config: &mut ExecutionConfig) -> Result<(), &'static str> {
    let first = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if matches!(first.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
        return Err("this instruction cannot be put off");
    }
    config.on_build.push(text.to_owned());
    Ok(())
}

fn volume(text: &str, config: &mut ExecutionConfig) -> Result<(), &'static str> {
    let paths = json_list(text).or_else(|| split(text)).ok_or("a quote is not closed")?;
    if paths.iter().any(String::is_empty) {
        return Err("a path is empty");
    }
    config.volumes.extend(paths);
    Ok(())
}

/// A relative directory is one below the last.
fn workdir(text: &str, config: &mut ExecutionConfig) {
    let mut parts: Vec<&str> = Vec::new();
    let whole =
        if text.starts_with('/') { text.to_owned() } else { format!("{}/{text}", config.working_dir) };
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    config.working_dir = format!("/{}", parts.join("/"));
}

fn healthcheck(text: &str, config: &mut ExecutionConfig) -> Result<(), &'static str> {
    let mut check = Healthcheck::default();
    let mut rest = text.trim_start();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).ok_or("the command is missing")?;
        let (name, value) = flag.split_once('=').ok_or("write flags as `--interval=30s`")?;
        match name {
            "interval" => check.interval = duration(value)?,
            "timeout" => check.timeout = duration(value)?,
            "start-period" => check.start_period = duration(value)?,
            "start-interval" => check.start_interval = duration(value)?,
            "retries" => check.retries = value.parse().map_err(|_| "`--retries` takes a number")?,
            _ => {
                return Err(
                    "flags are `--interval`, `--timeout`, `--start-period`, `--start-interval`, `--retries`",
                );
            }
        }
        rest = after.trim_start();
    }
    let (kind, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    check.words = match (kind.to_ascii_uppercase().as_str(), arguments.trim()) {
        ("NONE", "") => vec!["NONE".to_owned()],
        ("CMD", arguments) if !arguments.is_empty() => match json_list(arguments) {
            Some(words) => std::iter::once("CMD".to_owned()).chain(words).collect(),
            None => vec!["CMD-SHELL".to_owned(), arguments.to_owned()],
        },
        _ => return Err("write `CMD` and a command, or `NONE`"),
    };
    config.healthcheck = Some(check);
    Ok(())
}

/// Nanoseconds of a time as Go writes it: `1m30s`, `500ms`.
fn duration(text: &str) -> Result<i64, &'static str> {
    const PROBLEM: &str = "write times as `30s`, `1m30s` or `500ms`";
    const UNITS: [(&str, f64); 6] =
        [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(PROBLEM)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(PROBLEM)?;
        total += number.parse::<f64>().map_err(|_| PROBLEM)? * scale;
        rest = after;
    }
    if text.is_empty() || !(0.0..9e18).contains(&total) {
        return Err(PROBLEM);
    }
    Ok(total as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn changed(changes: &[&str]) -> Result<Value, ChangeError> {
        let mut config = ExecutionConfig::default();
        for text in changes {
            apply(text, &mut config)?;
        }
        Ok(serde_json::to_value(config).unwrap())
    }

    #[test]
    fn instructions_become_configuration() {
        for (changes, expected) in [
            (&["CMD [\"a\", \"b c\"]"][..], json!({"Cmd": ["a", "b c"]})),
            (&["cmd a b"], json!({"Cmd": ["/bin/sh", "-c", "a b"]})),
            (&["ENTRYPOINT [\"/init\"]"], json!({"Entrypoint": ["/init"]})),
            (&["ENV A=1 B=\"2 3\"", "ENV A 4 5"], json!({"Env": ["A=4 5", "B=2 3"]})),
            (
                &["EXPOSE 80 53/UDP 1-2"],
                json!({"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "1/tcp": {}, "2/tcp": {}}}),
            ),
            (&["LABEL a=b c=\"d e\""], json!({"Labels": {"a": "b", "c": "d e"}})),
            (&["USER 1:2"], json!({"User": "1:2"})),
            (&["VOLUME /a /b", "VOLUME [\"/c d\"]"], json!({"Volumes": {"/a": {}, "/b": {}, "/c d": {}}})),
            (&["WORKDIR /a", "WORKDIR b/../c"], json!({"WorkingDir": "/a/c"})),
            (&["STOPSIGNAL SIGINT"], json!({"StopSignal": "SIGINT"})),
            (&["ONBUILD RUN x"], json!({"OnBuild": ["RUN x"]})),
            (&["HEALTHCHECK NONE"], json!({"Healthcheck": {"Test": ["NONE"]}})),
            (
                &["HEALTHCHECK --interval=1m30s --retries=3 CMD curl x"],
                json!({"Healthcheck": {"Test": ["CMD-SHELL", "curl x"], "Interval": 90_000_000_000_i64, "Retries": 3}}),
            ),
        ] {
            assert_eq!(changed(changes).unwrap(), expected, "for {changes:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for text in [
            "RUN x",
            "",
            "CMD",
            "EXPOSE 70000",
            "EXPOSE 2-1",
            "EXPOSE 80/icmp",
            "ENV A",
            "ONBUILD FROM x",
            "HEALTHCHECK",
            "HEALTHCHECK --interval=x CMD y",
            "HEALTHCHECK CMD",
            "VOLUME 'a",
        ] {
            assert!(changed(&[text]).is_err(), "for {text}");
        }
    }
}
