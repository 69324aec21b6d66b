//! Where the steps of a job run: its directories, its sandbox, its container.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_engine::{
    Attachment, Bind, ContainerId, ContainerSpec, ContainerState, Engine, EngineError, ExecSpec, ImageSource,
    Login, Mount, MountKind, NetworkMode, ProcessIo, Propagation, PullSpec, RunningExec, SandboxId,
    SandboxNetwork, SandboxSpec,
};
use longshore_event::{EventSink, ImageEvent};
use longshore_oci::Reference;
use thiserror::Error;

use super::specification::{ContainerSpecification, Specification};
use super::{Directory, JobRun, Nodes, Paths, tool};
use crate::environment::split;
use crate::kept::KeptDto;
use crate::native::checkout::{Checkout, LentObjects};
use crate::voice::StepVoice;

/// Labels of what a run makes, by which it is found again.
pub(crate) const RUN_LABEL: &str = "dev.longshore.run";
pub(crate) const JOB_LABEL: &str = "dev.longshore.job";

/// Where the steps of a job run. Dropping it removes the containers, the network and the directories.
pub(crate) struct Place {
    engine: Arc<dyn Engine>,
    pub(crate) paths: Paths,
    /// Scripts and command files.
    pub(crate) commands: Directory,
    pub(crate) sandbox: SandboxId,
    /// The sandbox's name, which is the network's.
    pub(crate) network: String,
    container: Option<ContainerId>,
    /// The variables of the container.
    pub(crate) base_env: Vec<(String, String)>,
    /// Whether the job has a `container:`.
    pub(crate) in_container: bool,
    /// Node for actions.
    pub(crate) nodes: Nodes,
    /// Labels of everything in it.
    pub(crate) labels: BTreeMap<String, String>,
    /// Objects of the project that the job sees.
    pub(crate) lent: Vec<LentObjects>,
    /// What was checked out, by its directory in the workspace.
    pub(crate) checkouts: Mutex<BTreeMap<PathBuf, Checkout>>,
    /// Actions and the like, which the container of the steps is given when it starts.
    pub(crate) mounts: Vec<Mount>,
    /// Where they are mounted.
    pub(crate) targets: Vec<String>,
    /// Whether everything stays when this is dropped.
    keep: AtomicBool,
}

/// Why a job has no place.
#[derive(Debug, Error)]
pub(crate) enum PlaceError {
    #[error("failed to prepare `{}`", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("failed to make the network of the job")]
    Sandbox(#[source] EngineError),
    #[error("failed to have the image `{image}`")]
    Image { image: String, source: EngineError },
    #[error("`{0}` is not the name of an image")]
    Name(String),
    #[error("failed to start the container of the job from `{image}`")]
    Container { image: String, source: EngineError },
    #[error("{0}")]
    Volume(String),
}

/// Tells what happens to an image that a job needs.
pub(crate) struct ImageVoice<'v>(pub(crate) &'v StepVoice);

impl EventSink for ImageVoice<'_> {
    fn image(&self, event: ImageEvent) {
        // How far a transfer is concerns those who look now; they see it through the same events, but fewer would do.
        self.0.say(event);
    }
}

impl Place {
    /// The directories and the network of a job; containers come later.
    pub(crate) fn make(run: &JobRun<'_>, specification: &Specification) -> Result<Self, PlaceError> {
        let facts = &run.task.facts;
        let in_container = specification.container.is_some();
        let name = format!("run-{}-{}", facts.request.id, run.task.voice.job.as_str().replace('/', "."));
        let root = run.runner.work.join(&name);
        let mut paths = Paths::new(&root, facts.request.project.name(), in_container);
        if specification.image == ImageSource::Host {
            paths.own_more();
        }
        make_directories(&paths)?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PlaceError::Directory { path, source }
        };
        let commands_at = root.join("commands");
        let commands = Directory::open(&commands_at).map_err(failed(&commands_at))?;
        let labels = BTreeMap::from([
            (RUN_LABEL.to_owned(), facts.request.id.to_string()),
            (JOB_LABEL.to_owned(), run.task.voice.job.to_string()),
        ]);
        let spec = SandboxSpec { name: name.clone(), labels: labels.clone(), network: SandboxNetwork::Own };
        let engine = Arc::clone(&run.runner.engine);
        let sandbox = engine.create_sandbox(&spec).map_err(PlaceError::Sandbox)?;
        Ok(Self {
            engine,
            paths,
            commands,
            sandbox,
            network: name,
            container: None,
            base_env: Vec::new(),
            in_container,
            nodes: Nodes::default(),
            labels,
            lent: Vec::new(),
            checkouts: Mutex::default(),
            mounts: Vec::new(),
            targets: Vec::new(),
            keep: AtomicBool::new(false),
        })
    }

    /// Makes and starts the container in which the steps run.
    pub(crate) fn start(
        &mut self,
        run: &JobRun<'_>,
        specification: &Specification,
        voice: &StepVoice,
    ) -> Result<(), PlaceError> {
        let mut spec = match &specification.container {
            Some(container) => container_spec(container, &self.paths)?,
            None => ContainerSpec::default(),
        };
        spec.image = specification.image.clone();
        if specification.image == ImageSource::Host {
            let machine = &run.runner.machine;
            spec.env.push(format!("PATH={}", machine.path.join(":")));
            spec.env.extend(machine.env.iter().map(|(name, value)| format!("{name}={value}")));
            spec.mounts
                .extend(machine.tools.iter().map(|tool| bind(tool, &tool.display().to_string(), true)));
        }
        let login = specification.container.as_ref().and_then(|container| container.login.as_ref());
        self.pull(&spec.image, login, voice)?;
        // Longer targets lie inside shorter ones and are mounted after them.
        let own = self.paths.mounts.iter().rev().map(|(inside, outside)| bind(outside, inside, false));
        spec.mounts.extend(own);
        let mounts = std::mem::take(&mut self.mounts);
        self.targets = mounts.iter().map(|mount| mount.target.clone()).collect();
        spec.mounts.extend(mounts);
        if !self.in_container {
            let (tools, target) = tool::write(&self.paths.root)
                .map_err(|source| PlaceError::Directory { path: self.paths.root.clone(), source })?;
            spec.mounts.push(bind(&tools, target, true));
        }
        self.join(&mut spec, "job");
        spec.labels.extend(self.labels.clone());
        spec.hold = true;
        // Nobody is at the terminal that options may ask for: nothing of the container's own runs.
        (spec.tty, spec.stdin) = (false, false);
        spec.disposable = true;
        spec.stop_timeout = Some(Duration::ZERO);
        let image = specification.image.to_string();
        let failed = |source| PlaceError::Container { image: image.clone(), source };
        let id = self.engine.create_container(&self.sandbox, &spec).map_err(failed)?;
        self.container = Some(id.clone());
        self.engine.start(&id).map_err(failed)?;
        self.base_env = self.environment(&id).map_err(failed)?;
        Ok(())
    }

    /// The variables of the job's container.
    fn environment(&self, id: &ContainerId) -> Result<Vec<(String, String)>, EngineError> {
        let status = self.engine.inspect(id)?;
        let mut env = status.spec.env.iter().map(|variable| split(variable)).collect();
        if !self.in_container {
            tool::add_to_path(&mut env);
        }
        Ok(env)
    }

    /// Makes sure that an image is here.
    pub(crate) fn pull(
        &self,
        image: &ImageSource,
        login: Option<&Login>,
        voice: &StepVoice,
    ) -> Result<(), PlaceError> {
        let ImageSource::Image(name) = image else { return Ok(()) };
        let reference = Reference::parse(name).map_err(|_| PlaceError::Name(name.clone()))?;
        let sink = ImageVoice(voice);
        self.engine
            .pull(&reference, &PullSpec { login: login.cloned(), ..PullSpec::default() }, &sink)
            .map(drop)
            .map_err(|source| PlaceError::Image { image: name.clone(), source })
    }

    /// The job's network, in which a container has this further name.
    pub(crate) fn attachment(&self, alias: &str) -> NetworkMode {
        NetworkMode::Networks(vec![Attachment {
            network: self.network.clone(),
            aliases: vec![alias.to_owned()],
            ..Attachment::default()
        }])
    }

    /// Puts a container into the job's network, where it has this further name. The names that its options ask for are
    /// further ones, too: other jobs may have containers called alike.
    pub(super) fn join(&self, spec: &mut ContainerSpec, alias: &str) {
        let mut networks = match std::mem::take(&mut spec.network) {
            NetworkMode::Networks(networks) => networks,
            _ => vec![Attachment::default()],
        };
        if let Some(own) = networks.first_mut() {
            own.network.clone_from(&self.network);
            own.aliases.extend(spec.name.take());
            own.aliases.retain(|name| name != alias);
            own.aliases.insert(0, alias.to_owned());
        }
        spec.network = NetworkMode::Networks(networks);
        spec.name = Some(format!("{}-{alias}", self.network));
    }

    /// Starts a process in the job's container.
    pub(crate) fn exec(&self, spec: &ExecSpec, io: ProcessIo) -> Result<Box<dyn RunningExec>, EngineError> {
        match &self.container {
            Some(id) => self.engine.start_exec(id, spec, io),
            None => Err(EngineError::new(longshore_engine::Fault::Bug, "the job has no container yet")),
        }
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The container of the steps.
    pub(crate) fn container(&self) -> Option<&ContainerId> {
        self.container.as_ref()
    }

    /// The directories of this machine that hold what steps have made: those of the job, and what its container changed.
    /// None if the engine does not show that.
    pub(crate) fn changed(&self) -> Option<Vec<PathBuf>> {
        let commands = self.paths.outside(&self.paths.commands);
        let own = self.paths.mounts.iter().map(|(_, outside)| outside.clone());
        let own = own.filter(|outside| Some(outside) != commands.as_ref());
        let container = self.engine.changed_directories(self.container.as_ref()?).ok()?;
        (!container.is_empty()).then(|| own.chain(container).collect())
    }

    /// Leaves everything as it is, for who looks at it later.
    pub(crate) fn keep(&self) {
        self.keep.store(true, Ordering::SeqCst);
    }

    /// The place of a job that was kept. It is kept further until [`give_up`](Self::give_up).
    pub(crate) fn reopen(engine: Arc<dyn Engine>, record: &KeptDto) -> Result<Self, PlaceError> {
        let wrong = |_| PlaceError::Name(record.container.clone());
        let paths = Paths::of_kept(record);
        let at = record.root.join("commands");
        let commands = Directory::open(&at).map_err(|source| PlaceError::Directory { path: at, source })?;
        Ok(Self {
            engine,
            paths,
            commands,
            sandbox: record.sandbox.parse().map_err(wrong)?,
            network: record.network.clone(),
            container: Some(record.container.parse().map_err(wrong)?),
            base_env: Vec::new(),
            in_container: record.in_container,
            nodes: Nodes::default(),
            labels: BTreeMap::from([
                (RUN_LABEL.to_owned(), record.run.to_string()),
                (JOB_LABEL.to_owned(), record.job.clone()),
            ]),
            lent: record
                .lent
                .iter()
                .map(|(outside, inside)| LentObjects { outside: outside.clone(), inside: inside.clone() })
                .collect(),
            checkouts: Mutex::default(),
            mounts: Vec::new(),
            targets: record.targets.clone(),
            keep: AtomicBool::new(true),
        })
    }

    /// Starts the container again; whether it did not run.
    pub(crate) fn restart(&mut self) -> Result<bool, PlaceError> {
        let Some(id) = &self.container else { return Ok(false) };
        let failed = |source| PlaceError::Container { image: id.short().to_owned(), source };
        let rested = self.engine.inspect(id).map_err(failed)?.state != ContainerState::Running;
        self.engine.start(id).map_err(failed)?;
        self.base_env = self.environment(id).map_err(failed)?;
        Ok(rested)
    }

    /// Stops the container, whose files stay.
    pub(crate) fn rest(&self) {
        if let Some(id) = &self.container {
            // What still runs is ended by whoever works with it next.
            let _ = self.engine.stop(id, Some(Duration::ZERO));
        }
    }

    /// Removes everything when this is dropped, after all.
    pub(crate) fn give_up(&self) {
        self.keep.store(false, Ordering::SeqCst);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.keep.load(Ordering::SeqCst) {
            return;
        }
        if let Some(id) = &self.container {
            let _ = self.engine.stop(id, Some(Duration::ZERO));
        }
        // What cannot be removed now is found by its labels at the next start.
        std::thread::scope(|threads| {
            let removal = || fs::remove_dir_all(&self.paths.root);
            let _ = std::thread::Builder::new().spawn_scoped(threads, removal);
            let _ = self.engine.remove_sandbox(&self.sandbox);
        });
        // Services may have written until they ended, too.
        let _ = fs::remove_dir_all(&self.paths.root);
    }
}

fn make_directories(paths: &Paths) -> Result<(), PlaceError> {
    // Scripts may hold secrets, so other users of the machine do not look in.
    let own = fs::DirBuilder::new().recursive(true).mode(0o700).create(&paths.root);
    own.map_err(|source| PlaceError::Directory { path: paths.root.clone(), source })?;
    let inside = [&paths.workspace, &paths.temp, &paths.actions];
    let outside = inside.into_iter().filter_map(|inside| paths.outside(inside));
    let mounted = paths.mounts.iter().map(|(_, outside)| outside.clone());
    for path in mounted.chain(outside) {
        fs::create_dir_all(&path).map_err(|source| PlaceError::Directory { path, source })?;
    }
    for path in paths.temporary().filter(|path| path.exists()) {
        let everybody = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(&path, everybody).map_err(|source| PlaceError::Directory { path, source })?;
    }
    Ok(())
}

/// What `container:` or a service asks for.
pub(crate) fn container_spec(
    container: &ContainerSpecification,
    paths: &Paths,
) -> Result<ContainerSpec, PlaceError> {
    let mut spec = container.spec.clone();
    spec.image = ImageSource::parse(&container.image);
    spec.env.extend(container.env.iter().map(|(name, value)| format!("{name}={value}")));
    for volume in &container.volumes {
        spec.mounts.push(self::volume(volume, paths)?);
    }
    Ok(spec)
}

/// `SOURCE:TARGET[:ro]`, or an anonymous volume's `TARGET`.
fn volume(text: &str, paths: &Paths) -> Result<Mount, PlaceError> {
    let wrong = || PlaceError::Volume(format!("`volumes: {text}` is not SOURCE:TARGET or TARGET"));
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return Err(wrong()),
    };
    if !target.starts_with('/') {
        return Err(wrong());
    }
    let read_only = options.split(',').any(|option| option == "ro");
    match source {
        // A path of the workspace as the job sees it means that directory; others are the machine's.
        Some(source) if source.starts_with('/') => {
            let outside = paths.outside(source).unwrap_or_else(|| PathBuf::from(source));
            let mut mount = bind(&outside, target, read_only);
            // As by `docker create -v`, what is not there becomes a directory.
            if let MountKind::Bind(bind) = &mut mount.kind {
                bind.create = true;
            }
            Ok(mount)
        }
        name => Ok(Mount {
            kind: MountKind::Volume { name: name.map(str::to_owned), no_copy: false, subpath: None },
            target: target.to_owned(),
            read_only,
        }),
    }
}

/// A directory or file of this machine inside of a container.
pub(crate) fn bind(source: &Path, target: &str, read_only: bool) -> Mount {
    Mount {
        kind: MountKind::Bind(Bind {
            source: source.to_owned(),
            create: false,
            propagation: Propagation::Rprivate,
            non_recursive: false,
        }),
        target: target.to_owned(),
        read_only,
    }
}
