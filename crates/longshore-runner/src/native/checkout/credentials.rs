//! What a checkout leaves so that later steps can speak to the server: the token, or a key for `ssh`.
//!
//! As the action does, it is left in the checkout's own settings until the job ends, unless `persist-credentials` is off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::git_directory::Config;
use super::inputs::{SshKey, Wish};
use crate::job::{Folder, chain};
use crate::step::StepCall;

/// What is left.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    header: Option<(String, String)>,
    ssh_command: Option<String>,
}

impl Credentials {
    /// What the inputs ask for. Makes the files that it needs, and secrets of what is secret.
    pub(super) fn leave(call: &StepCall<'_>, wish: &Wish, server: &str) -> Result<Self, String> {
        if !wish.persist {
            return Ok(Self::default());
        }
        let mut left = Self::of_token(wish, server);
        if let Some((_, header)) = &left.header {
            let secret = header.rsplit(' ').next().unwrap_or_default();
            call.voice.job.run.masker.add([secret, wish.token.as_str()]);
        }
        if let Some(ssh) = &wish.ssh {
            call.voice.job.run.masker.add(ssh.key.lines());
            left.ssh_command = Some(write_key(call, wish, ssh)?);
        }
        Ok(left)
    }

    fn of_token(wish: &Wish, server: &str) -> Self {
        let encoded = STANDARD.encode(format!("x-access-token:{}", wish.token));
        let header = (!wish.token.is_empty())
            .then(|| (format!("{server}/"), format!("AUTHORIZATION: basic {encoded}")));
        Self { header, ssh_command: None }
    }

    /// Adds it to the settings of a checkout.
    pub(super) fn add(&self, config: &mut Config) {
        if let Some((server, header)) = &self.header {
            config.section("http", Some(server), &[("extraheader", header)]);
        }
        if let Some(command) = &self.ssh_command {
            config.section("core", None, &[("sshCommand", command)]);
        }
    }

    /// Takes it back at the end of the job.
    pub(super) fn take_back(call: &StepCall<'_>, wish: &Wish, server: &str, checkout: &Folder) {
        let mut config = Config::default();
        let mut left = Self::of_token(wish, server);
        left.ssh_command = wish.ssh.as_ref().map(|ssh| command(call, wish, ssh));
        left.add(&mut config);
        if config.text().is_empty() || !wish.persist {
            return;
        }
        let result = checkout.enter(b".git").and_then(|git| {
            let Some(git) = git else { return Ok(()) };
            let Some(content) = git.read("config", 1 << 20)? else { return Ok(()) };
            let Ok(text) = String::from_utf8(content) else { return Ok(()) };
            let mut kept = text.clone();
            for section in sections(config.text()) {
                kept = kept.replace(section, "");
            }
            if kept == text { Ok(()) } else { git.write("config", kept.as_bytes(), 0o644) }
        });
        if let Err(error) = result {
            call.voice
                .warning(&format!("the token stays in the settings of the checkout: {}", chain(&error)));
        }
        if wish.ssh.is_some()
            && let Ok(temp) = temp(call)
        {
            for name in [key_name(wish), hosts_name(wish)] {
                // The directory goes with the job.
                let _ = temp.remove(name.as_bytes());
            }
        }
    }
}

/// The sections of settings, each with its line ends.
fn sections(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\n[").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    starts.push(text.len());
    starts.windows(2).filter_map(|pair| text.get(*pair.first()?..*pair.last()?)).collect()
}

fn write_key(call: &StepCall<'_>, wish: &Wish, ssh: &SshKey) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("failed to write the key for `ssh`: {error}");
    let temp = temp(call).map_err(failed)?;
    temp.write(&key_name(wish), ssh.key.as_bytes(), 0o600).map_err(failed)?;
    temp.write(&hosts_name(wish), ssh.known_hosts.as_bytes(), 0o600).map_err(failed)?;
    Ok(command(call, wish, ssh))
}

/// Where steps keep what goes with the job.
fn temp(call: &StepCall<'_>) -> std::io::Result<Folder> {
    let paths = &call.steps.place.paths;
    let (root, below) = paths.anchor(&paths.temp);
    Folder::open(&root)?.make_all(&below)
}

fn command(call: &StepCall<'_>, wish: &Wish, ssh: &SshKey) -> String {
    let temp = &call.steps.place.paths.temp;
    let strict = if ssh.strict { " -o StrictHostKeyChecking=yes -o CheckHostIP=no" } else { "" };
    let (key, hosts) = (key_name(wish), hosts_name(wish));
    format!("ssh -i \"{temp}/{key}\"{strict} -o \"UserKnownHostsFile={temp}/{hosts}\"")
}

/// One key for each checkout.
fn key_name(wish: &Wish) -> String {
    let path: String = wish
        .path
        .to_string_lossy()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    format!("checkout_key_{path}")
}

fn hosts_name(wish: &Wish) -> String {
    key_name(wish) + "_known_hosts"
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn settings_fall_apart_in_sections() {
        assert_eq!(sections("[a]\n\tx = 1\n[b]\n\ty = 2\n"), ["[a]\n\tx = 1\n", "[b]\n\ty = 2\n"]);
    }
}
