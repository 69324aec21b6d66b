//! `longshore image bootstrap`: a base image from the packages of a distribution.

mod configure;
mod failure;
mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use longshore_bootstrap::{Bootstrapped, Distribution, Options, Suite, Variant, bootstrap, mirror_of_host};
use longshore_engine_native::{ContainerUsers, NativeEngine, container_users};
use longshore_image::{Images, ImportOptions, NameError, RESERVED, host_platform};
use longshore_layer::Compression;
use longshore_oci::{Platform, Reference};
use longshore_report::{Role, count};

use self::configure::Steps;
use self::failure::BootstrapFailure;
use self::workspace::Workspace;
use super::{Outcome, Session, keep_budget, platform, reference, unpack_options};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::ProgressSink;
use crate::wiring::Wiring;

/// Make a base image from the packages of Debian or Ubuntu
///
/// It needs no image, no registry and none of the distribution's tools: packages are fetched from the distribution's
/// mirror, checked by the distribution's keys, unpacked, and configured in containers without network. The same packages
/// give the same image. What was fetched is kept, so with `--offline` it is made of what the last time was.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image bootstrap -t base debian:bookworm
  longshore image bootstrap -t build:noble --variant buildd --include git,ca-certificates ubuntu:24.04
  longshore image bootstrap -t base --mirror http://mirror.example.org/debian debian:trixie")]
pub(super) struct BootstrapArgs {
    /// What to make it of: `debian` or `ubuntu`, and the suite's code name or version
    #[arg(value_name = "DISTRIBUTION:SUITE")]
    suite: String,

    /// The name of the image
    #[arg(short, long, value_name = "NAME[:TAG]")]
    tag: String,

    /// Which packages it begins with: `minbase` (what every system must have, and apt), `buildd` (that and
    /// build-essential), or `-` (also what is important on a machine of its own)
    #[arg(long, value_name = "VARIANT", default_value = "minbase")]
    variant: String,

    /// Further packages
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    include: Vec<String>,

    /// The archive's components to take packages from
    #[arg(long, value_name = "COMPONENT", value_delimiter = ',', default_value = "main")]
    components: Vec<String>,

    /// The mirror to take packages from, which the image's own apt is told too; without updates and security fixes,
    /// as they have other addresses
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,

    /// Accept what the keys in this file have signed, in place of the distribution's
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,

    /// What the image runs on; this machine's platform if not given
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,

    /// Accept an archive that was good when it was signed and is over now, as old snapshots are
    #[arg(long)]
    accept_expired: bool,

    /// Leave the packages unpacked; `dpkg --configure -a` in the image is left to do
    #[arg(long)]
    no_configure: bool,
}

pub(super) fn run(args: &BootstrapArgs, session: &mut Session) -> Outcome {
    let name = name(&args.tag)?;
    let options = args.options(session)?;
    if !args.no_configure {
        check_users()?;
    }
    let engine = session.wiring().engine().map_err(BootstrapFailure::Engine)?;
    let images = session.wiring().images()?;
    let workspace = Workspace::make(&session.settings.home.value.join("tmp"), &engine)?;
    let image = make(args, &options, &name, (&engine, &images, &workspace), session);
    // What cannot be removed now is by the next one.
    drop(workspace);
    session.output.data(&format!("{}\n", image?))?;
    keep_budget(&images, session)?;
    Ok(Exit::Success)
}

/// Makes the root and the image of it, and gives its id.
fn make(
    args: &BootstrapArgs,
    options: &Options,
    name: &Reference,
    (engine, images, workspace): (&NativeEngine, &Images, &Workspace),
    session: &mut Session,
) -> Result<String, Failure> {
    let progress = ProgressSink::new(session.output.is_quiet(), session.output.talk_style());
    let root = workspace.root();
    let steps = Steps { engine, root: &root };
    let configurator = |step: &_| Ok(steps.run(step)?);
    let made = bootstrap(options, &root, (!args.no_configure).then_some(&configurator), &*progress);
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            progress.finish();
            return Err(BootstrapFailure::from(error).into());
        }
    };
    let import = ImportOptions {
        name: Some(name.clone()),
        changes: Vec::new(),
        message: String::new(),
        platform: made.platform.clone(),
        created: made.created.into(),
        now: Wiring::now(),
        compression: Compression::Gzip,
        unpack: unpack_options(true),
        sink: &*progress,
    };
    let image = images.import_described(&root, |digest| made.image_config(digest), &import);
    progress.finish();
    let id = image?.id().to_string();
    warn_of_owners(&made, session);
    Ok(id)
}

/// The name, if images can have it. It is looked at before the long work, not after.
fn name(text: &str) -> Result<Reference, Failure> {
    let name = reference(text)?;
    if name.digest().is_some() {
        return Err(NameError::Digested(name).into());
    }
    if name.familiar_name() == RESERVED {
        return Err(NameError::Reserved.into());
    }
    Ok(name)
}

impl BootstrapArgs {
    fn options(&self, session: &Session) -> Result<Options, Failure> {
        let suite: Suite = self.suite.parse().map_err(BootstrapFailure::Suite)?;
        let variant: Variant = self.variant.parse().map_err(BootstrapFailure::Variant)?;
        let read = |path: &PathBuf| {
            let failed = |source| BootstrapFailure::Keyring { path: path.clone(), source };
            std::fs::read(path).map_err(failed)
        };
        let platform = platform(self.platform.as_deref())?.unwrap_or_else(host_platform);
        let near_mirror = match &self.mirror {
            Some(_) => None,
            None => near_mirror(Path::new("/etc/apt"), suite.distribution(), &platform),
        };
        Ok(Options {
            suite,
            platform,
            variant,
            include: self.include.clone(),
            components: self.components.clone(),
            mirror: self.mirror.clone(),
            near_mirror,
            keyring: self.keyring.as_ref().map(read).transpose()?,
            cache: session.settings.home.value.join("cache/packages"),
            offline: !session.settings.network.value,
            accept_expired: self.accept_expired,
            now: Timestamp::try_from(Wiring::now()).map_err(BootstrapFailure::Clock)?,
        })
    }
}

/// Packages give files to several users, which has to be possible before the long work begins. Subordinate ids are had
/// already, by what all verbs that handle layers do first.
fn check_users() -> Result<(), BootstrapFailure> {
    match container_users() {
        ContainerUsers::Root(why) => Err(BootstrapFailure::OneUser(why)),
        _ => Ok(()),
    }
}

/// The mirror that this machine's own apt uses, if it has the packages of the platform too.
fn near_mirror(apt: &Path, distribution: Distribution, platform: &Platform) -> Option<String> {
    if platform.architecture != host_platform().architecture {
        return None;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "list" || ending == "sources"))
        .collect();
    files.push(apt.join("sources.list"));
    files.sort();
    // What cannot be read is no mirror; the distribution's own is always there.
    files.iter().find_map(|path| mirror_of_host(&std::fs::read_to_string(path).ok()?, distribution))
}

/// Says which files could not be given their owners.
fn warn_of_owners(made: &Bootstrapped, session: &mut Session) {
    let lost: &BTreeMap<_, _> = &made.ownership;
    if !lost.is_empty() {
        let word = session.output.talk_style().paint(Role::Warning, "warning");
        let files = count(lost.len(), "file");
        session.output.talk(&format!("{word}: {files} of other users belong to root in the image\n"));
    }
}

#[cfg(test)]
mod tests {
    use longshore_bootstrap::Distribution;
    use longshore_image::host_platform;
    use longshore_oci::Platform;

    use super::{name, near_mirror};

    #[test]
    fn the_mirror_of_this_machine_is_used_for_its_own_distribution_and_architecture() {
        let apt = tempfile::tempdir().unwrap();
        std::fs::create_dir(apt.path().join("sources.list.d")).unwrap();
        for (file, text) in [
            ("sources.list", "# nothing\n"),
            ("sources.list.d/off.list.save", "deb http://off/debian x main\n"),
            ("sources.list.d/on.sources", "Types: deb\nURIs: http://on/debian\nSuites: x\n"),
        ] {
            std::fs::write(apt.path().join(file), text).unwrap();
        }
        let of = |distribution, platform: &Platform| near_mirror(apt.path(), distribution, platform);
        let here = host_platform();
        assert_eq!(of(Distribution::Debian, &here).as_deref(), Some("http://on/debian"));
        assert_eq!(of(Distribution::Ubuntu, &here), None);
        assert_eq!(of(Distribution::Debian, &Platform::new("linux", "mips64le")), None);
        assert_eq!(near_mirror(&apt.path().join("absent"), Distribution::Debian, &here), None);
    }

    #[test]
    fn names_are_refused_before_anything_is_done() {
        let digest = format!("a@sha256:{}", "0".repeat(64));
        for text in ["host", "A", "", digest.as_str()] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(name("base:1").is_ok());
    }
}
