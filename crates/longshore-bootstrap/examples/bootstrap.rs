//! Makes a base image's root with plain `chroot`, to try this crate without an engine:
//! `bootstrap SUITE ROOT CACHE [--no-configure] [--offline] [--accept-expired] [--mirror URL] [PACKAGE…]`, as root.
//!
//! It unshares a mount namespace by re-executing itself under `unshare -m`, and mounts `/proc` and `/dev` there.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use longshore_bootstrap::{ConfigureStep, Options, Variant, bootstrap};
use longshore_event::{EventSink, ImageEvent};
use longshore_layer::{PackOptions, pack};
use longshore_oci::Platform;

struct Talk(Instant);

impl EventSink for Talk {
    fn image(&self, event: ImageEvent) {
        match event {
            ImageEvent::Stage { name } => eprintln!("{:7.3} {name}", self.0.elapsed().as_secs_f64()),
            ImageEvent::Retried { attempt, cause } => eprintln!("again: {attempt}: {cause}"),
            _ => {}
        }
    }
}

/// The directories and devices that the engine would provide.
const MOUNTS: &str = "mount -t proc proc \"$0/proc\" && mount -t tmpfs tmpfs \"$0/dev\" && \
    for d in null zero full random urandom tty; do touch \"$0/dev/$d\" && mount --bind \"/dev/$d\" \"$0/dev/$d\"; done && \
    exec chroot \"$0\" \"$@\"";

fn run(root: &Path, step: &ConfigureStep) -> Result<(), Box<dyn Error + Send + Sync>> {
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", MOUNTS])
        .arg(root)
        .args(&step.command)
        .env_clear()
        .envs(step.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    if std::env::var_os("SHOW").is_some() {
        eprintln!("{text}");
    }
    if output.status.success() { Ok(()) } else { Err(format!("{}: {text}", output.status).into()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut flag = |name: &str| {
        let at = words.iter().position(|word| word == name);
        at.map(|at| words.remove(at)).is_some()
    };
    let (offline, plain, expired) = (flag("--offline"), flag("--no-configure"), flag("--accept-expired"));
    let mirror =
        words.iter().position(|word| word == "--mirror").map(|at| words.drain(at..at + 2).next_back());
    let [suite, root, cache, include @ ..] = &words[..] else {
        return Err("bootstrap SUITE ROOT CACHE [PACKAGE…]".into());
    };
    #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
    let now = jiff::Timestamp::try_from(std::time::SystemTime::now())?;
    let options = Options {
        suite: suite.parse()?,
        platform: Platform::new("linux", std::env::consts::ARCH),
        variant: Variant::Minbase,
        include: include.to_vec(),
        components: Vec::new(),
        mirror: mirror.flatten(),
        near_mirror: None,
        keyring: None,
        cache: PathBuf::from(cache),
        offline,
        accept_expired: expired,
        now,
    };
    let root = Path::new(root);
    let configurator = |step: &ConfigureStep| run(root, step);
    let start = Instant::now();
    let made =
        bootstrap(&options, root, (!plain).then_some(&configurator), &Talk(start)).map_err(|error| {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}\n  {error}");
                source = error.source();
            }
            text
        })?;
    println!("{:.3} s: {} packages", start.elapsed().as_secs_f64(), made.packages.len());
    let packed = pack(root, std::io::sink(), &PackOptions::default())?;
    println!("{} bytes, {}", packed.bytes, packed.diff_id);
    Ok(())
}
