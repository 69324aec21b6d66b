//! A home with an engine, and what cases do with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use longshore_engine::{
    Bind, ContainerId, ContainerSpec, EngineError, ExecSpec, ImageSource, Mount, MountKind, NetworkMode,
    ProcessIo, Propagation, Stream,
};
use longshore_engine_native::{Attached, Attachments, Incoming, NativeEngine, NativeOptions};
use longshore_event::Silent;
use longshore_image::{Images, ImportOptions, host_platform};
use longshore_layer::archive::{Builder, Entry, EntryKind};
use longshore_oci::{Compression, Reference};
use longshore_store::Store;

use super::inside;
use super::who::Who;

/// Directories of programs and their libraries.
const SYSTEM: [&str; 5] = ["usr", "bin", "sbin", "lib", "lib64"];

pub(crate) struct Place {
    pub(crate) home: PathBuf,
    pub(crate) who: Who,
    pub(crate) engine: NativeEngine,
}

/// What a container wrote, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Place {
    pub(crate) fn open(home: &Path, who: Who) -> Self {
        let program = std::env::current_exe().expect("this program");
        let options = NativeOptions { home: home.join("engine"), program, brief: false };
        let engine = NativeEngine::open(&options).expect("an engine");
        Self { home: home.to_owned(), who, engine }
    }

    /// An engine like that of the next command.
    pub(crate) fn again(&self) -> Self {
        Self::open(&self.home, self.who)
    }

    /// Starts a container and waits for its end.
    pub(crate) fn run(&self, spec: &ContainerSpec) -> Result<Outcome, EngineError> {
        self.run_warned(spec).map(|(outcome, _)| outcome)
    }

    pub(crate) fn run_warned(&self, spec: &ContainerSpec) -> Result<(Outcome, Vec<String>), EngineError> {
        let id = self.engine.create(spec, None)?;
        let (attached, warnings) = self.start(&id)?;
        Ok((outcome(attached)?, warnings))
    }

    pub(crate) fn start(&self, id: &ContainerId) -> Result<(Attached, Vec<String>), EngineError> {
        self.engine.start_attached(id, Attachments { stdin: false, stdout: true, stderr: true }, None)
    }

    /// Runs a further process, and gives what it writes.
    pub(crate) fn exec(&self, id: &ContainerId, spec: &ExecSpec) -> Result<Outcome, EngineError> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let io = ProcessIo::to(Arc::new(move |_: Stream, bytes: &[u8]| {
            sink.lock().expect("no panic").extend_from_slice(bytes);
        }));
        let exit = self.engine.run_process(id, spec, io)?;
        let text = String::from_utf8_lossy(&written.lock().expect("no panic")).into_owned();
        Ok(Outcome { code: exit.code, text })
    }

    /// Makes an image whose root has these files, and links to directories of programs that are mounted into it.
    pub(crate) fn import(&self, name: &str, files: &[(&str, u32, u32)]) {
        let mut builder = Builder::new(Vec::new());
        for directory in SYSTEM {
            if let Ok(target) = fs::read_link(Path::new("/").join(directory)) {
                let target = target.into_os_string().into_encoded_bytes();
                let entry = Entry::new(directory, EntryKind::Symlink(target));
                builder.append(&entry, std::io::empty()).expect("a link in the archive");
            }
        }
        for (path, owner, mode) in files {
            let kind = if path.ends_with('/') { EntryKind::Directory } else { EntryKind::File };
            let mut entry = Entry::new(*path, kind);
            (entry.uid, entry.gid, entry.mode) = (*owner, *owner, *mode);
            builder.append(&entry, std::io::empty()).expect("a file in the archive");
        }
        let archive = builder.finish().expect("an archive");
        let options = ImportOptions {
            name: Some(Reference::parse(name).expect("a name")),
            changes: Vec::new(),
            message: String::new(),
            platform: host_platform(),
            created: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            now: SystemTime::UNIX_EPOCH,
            compression: Compression::None,
            unpack: None,
            sink: &Silent,
        };
        let images = Images::open(Store::open(self.store()).expect("a store"));
        images.import(archive.as_slice(), &options).expect("an image");
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.home.join("store")
    }

    /// The machine's programs, for containers of images that have none.
    pub(crate) fn programs() -> Vec<Mount> {
        SYSTEM
            .into_iter()
            .map(|directory| Path::new("/").join(directory))
            .filter(|path| path.is_dir() && !path.is_symlink())
            .map(|path| bind(&path, path.to_str().expect("a name")))
            .collect()
    }

    /// What is left of containers that were removed.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let list = |name: &str| fs::read_dir(self.home.join("engine").join(name)).expect("a directory");
        list("trash").chain(list("containers")).map(|entry| entry.expect("an entry").path()).collect()
    }
}

/// Whether root is the only user of containers.
pub(crate) fn root_is_alone() -> bool {
    matches!(longshore_engine_native::container_users(), longshore_engine_native::ContainerUsers::Root(_))
}

/// A specification of the image `host` without network.
pub(crate) fn host(words: &[&str]) -> ContainerSpec {
    ContainerSpec {
        image: ImageSource::Host,
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        auto_remove: true,
        network: NetworkMode::None,
        ..ContainerSpec::default()
    }
}

/// The same for a script of the shell.
pub(crate) fn script(text: &str) -> ContainerSpec {
    host(&["/bin/sh", "-c", text])
}

/// The same, running this program.
pub(crate) fn program(words: &[&str]) -> ContainerSpec {
    let all: Vec<&str> = [inside::PATH, "__inside"].iter().chain(words).copied().collect();
    let exe = std::env::current_exe().expect("this program");
    ContainerSpec { mounts: vec![bind(&exe, inside::PATH)], ..host(&all) }
}

pub(crate) fn bind(source: &Path, target: &str) -> Mount {
    let kind = MountKind::Bind(Bind {
        source: source.to_owned(),
        create: false,
        propagation: Propagation::Private,
        non_recursive: false,
    });
    Mount { kind, target: target.to_owned(), read_only: true }
}

pub(crate) fn outcome(mut attached: Attached) -> Result<Outcome, EngineError> {
    let mut text = String::new();
    loop {
        match attached.receive()? {
            Incoming::Output(_, bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
            Incoming::Exited(exit) => return Ok(Outcome { code: exit.code, text }),
            Incoming::Lost => return Ok(Outcome { code: -1, text }),
        }
    }
}

/// Reads what a container writes until a word is among it.
pub(crate) fn until(attached: &mut Attached, word: &str) {
    let mut text = String::new();
    while !text.contains(word) {
        match attached.receive().expect("a monitor") {
            Incoming::Output(_, bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("the container ended before it wrote {word}: {other:?}: {text}"),
        }
    }
}
