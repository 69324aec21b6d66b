//! The steps that make unpacked packages an installed system. They run in the new root; see [`Configurator`].
//!
//! Their order is `debootstrap`'s: accounts first, because other scripts give files to them; then what the base is made
//! of; then everything else in the order that `dpkg` finds.

use std::error::Error;

use crate::unpack::Unpacked;

/// A command to be run in the new root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigureStep {
    /// What it is for, such as `configuring base-passwd`.
    pub name: String,
    /// The program, an absolute path in the new root, and its arguments.
    pub command: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
}

/// Runs commands in the new root.
///
/// Each runs as root of the new root's (with `/` as working directory), with `/proc`, `/sys`, `/dev` with the usual
/// devices, a writable `/tmp` and standard input from `/dev/null`; it needs no network. The step failed if its exit
/// status is not 0; the error should hold the end of its output.
///
/// Scripts of packages give files to other users. Where only one user id is mapped, the kernel refuses that with
/// `EINVAL`, and the configuration of `base-files` or `passwd` fails. Who runs containers so should let
/// `chown`, `fchown`, `lchown` and `fchownat` succeed without effect for these steps (a seccomp filter can answer 0), at
/// the price that all files belong to root; or not configure at all.
pub type Configurator<'a> = dyn Fn(&ConfigureStep) -> Result<(), Box<dyn Error + Send + Sync>> + 'a;

/// The search path of the steps and of the image.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Packages that are configured before all others, in this order.
const FIRST: &[&str] = &["base-passwd", "base-files"];

/// The steps for some packages. `epoch` is the time that scripts should take for now, where they care.
pub(crate) fn steps(packages: &[Unpacked], epoch: i64) -> Vec<ConfigureStep> {
    let name = |package: &Unpacked| {
        package.paragraph().and_then(|own| own.field("Package")).unwrap_or("").to_owned()
    };
    let mut scripts: Vec<_> = packages
        .iter()
        .filter(|package| package.control.contains_key("preinst"))
        .map(|package| {
            (FIRST.iter().position(|first| *first == name(package)).unwrap_or(FIRST.len()), package)
        })
        .collect();
    scripts.sort_by_key(|(rank, _)| *rank);
    let dpkg_version = packages
        .iter()
        .find(|package| name(package) == "dpkg")
        .and_then(Unpacked::paragraph)
        .and_then(|own| own.field("Version"));
    let mut steps: Vec<_> = scripts
        .into_iter()
        .map(|(_, package)| preinst(package, &name(package), dpkg_version.unwrap_or("1.0"), epoch))
        .collect();
    for first in FIRST {
        if packages.iter().any(|package| name(package) == *first) {
            steps.push(dpkg(
                format!("configuring {first}"),
                &["--force-depends", "--configure", first],
                epoch,
            ));
        }
    }
    steps.push(dpkg("configuring all packages".to_owned(), &["--configure", "-a"], epoch));
    steps
}

/// The script that runs before a package is unpacked. Here it runs after, as its files do not depend on it.
fn preinst(package: &Unpacked, name: &str, dpkg_version: &str, epoch: i64) -> ConfigureStep {
    let own = package.paragraph();
    let field = |field| own.and_then(|own| own.field(field)).unwrap_or_default();
    let architecture = field("Architecture");
    let stem = if field("Multi-Arch") == "same" { format!("{name}:{architecture}") } else { name.to_owned() };
    let mut environment = environment(epoch);
    for (variable, value) in [
        ("DPKG_MAINTSCRIPT_NAME", "preinst"),
        ("DPKG_MAINTSCRIPT_PACKAGE", name),
        ("DPKG_MAINTSCRIPT_ARCH", architecture),
        ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "1"),
        ("DPKG_MAINTSCRIPT_DEBUG", "0"),
        ("DPKG_RUNNING_VERSION", dpkg_version),
        ("DPKG_ADMINDIR", "/var/lib/dpkg"),
        ("DPKG_ROOT", ""),
        ("DPKG_FORCE", "unsafe-io"),
    ] {
        environment.push((variable.to_owned(), value.to_owned()));
    }
    let script = format!("/var/lib/dpkg/info/{stem}.preinst");
    ConfigureStep {
        name: format!("preparing {name}"),
        command: vec![script, "install".to_owned()],
        environment,
    }
}

fn dpkg(name: String, arguments: &[&str], epoch: i64) -> ConfigureStep {
    let fixed = ["/usr/bin/dpkg", "--force-unsafe-io"];
    let command = fixed.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
    ConfigureStep { name, command, environment: environment(epoch) }
}

fn environment(epoch: i64) -> Vec<(String, String)> {
    [
        ("PATH", PATH),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
        ("DEBCONF_NOWARNINGS", "yes"),
        ("SOURCE_DATE_EPOCH", &epoch.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
