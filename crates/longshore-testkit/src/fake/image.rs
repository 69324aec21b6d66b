//! Images of the fake.

use std::collections::BTreeMap;

use longshore_engine::{ContainerSpec, HealthSpec, ImageId};
use longshore_oci::Reference;

use super::files::parts;
use super::tree::{Attributes, Node, Tree};

/// What programs are looked for in, unless an image says otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Directories that every image has.
const DIRECTORIES: [(&str, u32); 10] = [
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
];

/// An image: what it says of its containers, and its files. A new one has directories and no more.
#[derive(Debug, Clone)]
pub struct FakeImage {
    pub(super) name: String,
    pub(super) spec: ContainerSpec,
    /// Where it wants volumes.
    pub(super) volumes: Vec<String>,
    pub(super) tree: Tree,
}

impl FakeImage {
    /// An image of a name.
    pub fn new(name: &str) -> Self {
        let mut tree = Tree::new();
        for (path, mode) in DIRECTORIES {
            tree.put(&[path.to_owned()], Node::directory(Attributes::of(mode)));
        }
        let spec = ContainerSpec { env: vec![PATH.to_owned()], ..ContainerSpec::default() };
        Self { name: full_name(name), spec, volumes: Vec::new(), tree }
    }

    /// With a variable as `NAME=value`.
    pub fn env(mut self, variable: &str) -> Self {
        self.spec.env.push(variable.to_owned());
        self
    }

    /// With an entrypoint.
    pub fn entrypoint(mut self, words: &[&str]) -> Self {
        self.spec.entrypoint = Some(words.iter().map(|word| (*word).to_owned()).collect());
        self
    }

    /// With a command.
    pub fn command(mut self, words: &[&str]) -> Self {
        self.spec.command = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// With a working directory.
    pub fn working_directory(mut self, path: &str) -> Self {
        self.spec.working_directory = Some(path.to_owned());
        self
    }

    /// With a user.
    pub fn user(mut self, user: &str) -> Self {
        self.spec.user = Some(user.to_owned());
        self
    }

    /// With a label.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.spec.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a port such as `5432/tcp`.
    pub fn expose(mut self, port: &str) -> Self {
        self.spec.expose.push(port.to_owned());
        self
    }

    /// With a check of health.
    pub fn health(mut self, health: HealthSpec) -> Self {
        self.spec.health = Some(health);
        self
    }

    /// With a place for a volume.
    pub fn volume(mut self, path: &str) -> Self {
        self.volumes.push(path.to_owned());
        self
    }

    /// With a file and the directories above it.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        let path = parts(path);
        if let Some((_, above)) = path.split_last() {
            self.tree.make_directories(above, 0o755);
            self.tree.put(&path, Node::file(content.as_ref().to_vec(), Attributes::of(mode)));
        }
        self
    }

    /// The id that the engine gives.
    pub(super) fn id(&self) -> ImageId {
        let digits = self.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        ImageId(format!("sha256:{}", format!("{digits:016x}").repeat(4)))
    }
}

/// The name by which images are told apart.
pub(super) fn full_name(name: &str) -> String {
    Reference::parse(name).map_or_else(|_| name.to_owned(), |reference| reference.or_latest().to_string())
}

/// What a container is to be, with what its image says filled in.
pub(super) fn merged(image: &ContainerSpec, spec: &ContainerSpec) -> ContainerSpec {
    let mut merged = spec.clone();
    if spec.entrypoint.is_none() {
        merged.entrypoint.clone_from(&image.entrypoint);
        if spec.command.is_empty() {
            merged.command.clone_from(&image.command);
        }
    }
    merged.env = variables(&[&image.env, &spec.env])
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    merged.working_directory = spec.working_directory.clone().or_else(|| image.working_directory.clone());
    merged.user = spec.user.clone().or_else(|| image.user.clone());
    merged.labels = image.labels.clone().into_iter().chain(spec.labels.clone()).collect();
    merged.expose = image.expose.iter().chain(&spec.expose).cloned().collect();
    merged.health = match (&spec.health, &image.health) {
        (Some(said), Some(below)) if said.test.is_empty() => {
            let mut said = said.clone();
            said.test.clone_from(&below.test);
            said.interval = said.interval.or(below.interval);
            said.timeout = said.timeout.or(below.timeout);
            said.start_period = said.start_period.or(below.start_period);
            said.start_interval = said.start_interval.or(below.start_interval);
            said.retries = said.retries.or(below.retries);
            Some(said)
        }
        (Some(said), _) => Some(said.clone()),
        (None, below) => below.clone(),
    };
    merged
}

/// Variables by name; later ones win.
pub(super) fn variables(lists: &[&[String]]) -> BTreeMap<String, String> {
    let split = |variable: &String| {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        (name.to_owned(), value.to_owned())
    };
    lists.iter().copied().flatten().map(split).collect()
}
