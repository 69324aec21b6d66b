//! Reading and writing the files of networks.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StateError;
use super::endpoint_dto::{self, EndpointDto, LeaseName};
use super::network_dto::{self, NetworkDto, SpareDto};
use crate::Endpoint;
use crate::network::{Network, NetworkId};

/// The first letters of files that are being written.
const UNFINISHED: &str = ".new-";
/// The last letters of files that hold spare networks.
const SPARE: &str = ".spare";

/// The directory that everything is kept in.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    root: PathBuf,
}

/// The right to change what is in the directory; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: OwnedFd,
}

/// A network that was set aside for whoever takes it over.
#[derive(Debug, Clone)]
pub(crate) struct Spare {
    /// As it was; its name and labels mean nothing any more.
    pub(crate) network: Network,
    /// Who may take it over.
    pub(crate) owner: String,
}

impl Directory {
    /// The directory at a path, made if it is not there.
    pub(crate) fn open(root: &Path) -> Result<Self, StateError> {
        fs::create_dir_all(root).map_err(|source| StateError::Write { path: root.to_owned(), source })?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// Waits for the right to change something.
    pub(crate) fn lock(&self) -> Result<Lock, StateError> {
        let path = self.root.join("lock");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let locked = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).and_then(|file| {
            rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))
                .map(|()| file)
        });
        match locked {
            Ok(file) => Ok(Lock { _file: file }),
            Err(errno) => Err(StateError::Write { path, source: errno.into() }),
        }
    }

    /// The digits that mark what this directory owns in the kernel.
    pub(crate) fn instance(&self, _lock: &Lock) -> Result<String, StateError> {
        let path = self.root.join("instance");
        match fs::read_to_string(&path) {
            Ok(text) if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                return Ok(text);
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StateError::Read { path, source }),
        }
        let digits = crate::random::hex::<4>()
            .map_err(|errno| StateError::Write { path: path.clone(), source: errno.into() })?;
        write(&path, digits.as_bytes(), true)?;
        Ok(digits)
    }

    /// Records that we let the machine forward packets.
    pub(crate) fn note_forwarding(&self) -> Result<(), StateError> {
        write(&self.root.join("forwarding"), b"", false)
    }

    /// Whether we let the machine forward packets.
    pub(crate) fn forwarding_noted(&self) -> bool {
        self.root.join("forwarding").exists()
    }

    /// All networks that are kept, in the order of their names.
    pub(crate) fn networks(&self) -> Result<Vec<Network>, StateError> {
        let mut networks = Vec::new();
        for file in names(&self.root)? {
            if let Some(id) = file.strip_suffix(".json").and_then(NetworkId::parse) {
                networks.extend(self.network(&id)?);
            }
        }
        networks.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(networks)
    }

    /// One network, if it is kept.
    pub(crate) fn network(&self, id: &NetworkId) -> Result<Option<Network>, StateError> {
        let path = self.network_file(id);
        let Some(dto) = read::<NetworkDto>(&path)? else { return Ok(None) };
        if dto.version != network_dto::VERSION {
            return Err(StateError::Version { path, found: dto.version });
        }
        dto.into_model(&path).map(Some)
    }

    /// All networks that the kernel may have bridges of: those that are kept, and the spare ones.
    pub(crate) fn networks_with_spares(&self) -> Result<Vec<Network>, StateError> {
        let mut networks = self.networks()?;
        networks.extend(self.spares()?.into_iter().map(|spare| spare.network));
        Ok(networks)
    }

    /// The networks that were set aside.
    pub(crate) fn spares(&self) -> Result<Vec<Spare>, StateError> {
        let mut spares = Vec::new();
        for file in names(&self.root)? {
            let Some(id) = file.strip_suffix(SPARE).and_then(NetworkId::parse) else { continue };
            let path = self.spare_file(&id);
            let Some(dto) = read::<SpareDto>(&path)? else { continue };
            if dto.network.version != network_dto::VERSION {
                return Err(StateError::Version { path, found: dto.network.version });
            }
            spares.push(Spare { owner: dto.owner, network: dto.network.into_model(&path)? });
        }
        Ok(spares)
    }

    /// Turns a network into a spare one.
    pub(crate) fn set_aside(&self, network: &Network, owner: &str, lock: &Lock) -> Result<(), StateError> {
        let dto = SpareDto { owner: owner.to_owned(), network: NetworkDto::from(network) };
        write_json(&self.spare_file(&network.id), &dto, false)?;
        self.remove_network(&network.id, lock)
    }

    /// Forgets a spare network.
    pub(crate) fn remove_spare(&self, id: &NetworkId, _lock: &Lock) -> Result<(), StateError> {
        remove(&self.spare_file(id))
    }

    /// Keeps a network; a `lasting` one is on the disk then.
    pub(crate) fn write_network(
        &self,
        network: &Network,
        lasting: bool,
        _lock: &Lock,
    ) -> Result<(), StateError> {
        let leases = self.leases_of(&network.id);
        fs::create_dir_all(&leases).map_err(|source| StateError::Write { path: leases, source })?;
        write_json(&self.network_file(&network.id), &NetworkDto::from(network), lasting)
    }

    /// Forgets a network.
    pub(crate) fn remove_network(&self, id: &NetworkId, _lock: &Lock) -> Result<(), StateError> {
        remove(&self.network_file(id))?;
        let leases = self.leases_of(id);
        match fs::remove_dir_all(&leases) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Write { path: leases, source })
            }
            _ => Ok(()),
        }
    }

    /// Who has which address of a network, in the order of the addresses.
    pub(crate) fn leases(&self, id: &NetworkId) -> Result<Vec<LeaseName>, StateError> {
        let mut leases: Vec<LeaseName> =
            names(&self.leases_of(id))?.iter().filter_map(|file| LeaseName::parse(file)).collect();
        leases.sort();
        Ok(leases)
    }

    /// The endpoint of a lease, if it is still there.
    pub(crate) fn endpoint(&self, id: &NetworkId, lease: &LeaseName) -> Result<Option<Endpoint>, StateError> {
        let path = self.leases_of(id).join(lease.file());
        let Some(dto) = read::<EndpointDto>(&path)? else { return Ok(None) };
        if dto.version != endpoint_dto::VERSION {
            return Err(StateError::Version { path, found: dto.version });
        }
        dto.into_model(&path).map(Some)
    }

    /// The endpoints of a network, in the order of their addresses.
    pub(crate) fn endpoints(&self, id: &NetworkId) -> Result<Vec<Endpoint>, StateError> {
        let mut endpoints = Vec::new();
        for lease in self.leases(id)? {
            endpoints.extend(self.endpoint(id, &lease)?);
        }
        Ok(endpoints)
    }

    /// Keeps an endpoint. It need not survive the machine: interfaces do not either.
    pub(crate) fn write_endpoint(&self, endpoint: &Endpoint, _lock: &Lock) -> Result<(), StateError> {
        let lease = LeaseName { address: endpoint.address, container: endpoint.container.clone() };
        write_json(&self.leases_of(&endpoint.network).join(lease.file()), &EndpointDto::from(endpoint), false)
    }

    /// Gives an address back.
    pub(crate) fn remove_lease(
        &self,
        id: &NetworkId,
        lease: &LeaseName,
        _lock: &Lock,
    ) -> Result<(), StateError> {
        remove(&self.leases_of(id).join(lease.file()))
    }

    /// Removes what interrupted processes and machines left: unfinished and empty files, and leases of networks that are
    /// gone.
    pub(crate) fn sweep(&self, _lock: &Lock) -> Result<usize, StateError> {
        let mut removed = 0;
        let kept = |name: &&String| [".json", SPARE].iter().any(|end| name.strip_suffix(end).is_some());
        for file in names(&self.root)?.iter().filter(kept) {
            let path = self.root.join(file);
            if path.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                remove(&path)?;
                removed += 1;
            }
        }
        for file in names(&self.root)? {
            if file.starts_with(UNFINISHED) {
                remove(&self.root.join(&file))?;
                removed += 1;
            }
            let Some(id) = NetworkId::parse(&file) else { continue };
            let leases = self.leases_of(&id);
            if !self.network_file(&id).exists() {
                fs::remove_dir_all(&leases).map_err(|source| StateError::Write { path: leases, source })?;
                removed += 1;
                continue;
            }
            for unfinished in names(&leases)?.iter().filter(|name| name.starts_with(UNFINISHED)) {
                remove(&leases.join(unfinished))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The directory of a network's leases, which changes whenever they do.
    pub(crate) fn leases_of(&self, id: &NetworkId) -> PathBuf {
        self.root.join(id.as_str())
    }

    fn network_file(&self, id: &NetworkId) -> PathBuf {
        self.root.join(format!("{id}.json"))
    }

    fn spare_file(&self, id: &NetworkId) -> PathBuf {
        self.root.join(format!("{id}{SPARE}"))
    }
}

/// The names in a directory; none if it is not there. Names that are no text are nobody's.
fn names(directory: &Path) -> Result<Vec<String>, StateError> {
    let failed = |source| StateError::Read { path: directory.to_owned(), source };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    Ok(names)
}

/// Reads a file. An empty one is none: that is what stays of one that was not on the disk when the machine lost its power.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateError> {
    let bytes = match fs::read(path) {
        Ok(bytes) if bytes.is_empty() => return Ok(None),
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateError::Read { path: path.to_owned(), source }),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(source) => Err(StateError::Malformed { path: path.to_owned(), source }),
    }
}

fn write_json<T: Serialize>(path: &Path, value: &T, durable: bool) -> Result<(), StateError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| StateError::Malformed { path: path.to_owned(), source })?;
    write(path, &bytes, durable)
}

/// Writes a file beside its place and moves it there. Only one process writes at a time, because all hold the lock.
fn write(path: &Path, bytes: &[u8], durable: bool) -> Result<(), StateError> {
    let failed = |source| StateError::Write { path: path.to_owned(), source };
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let unfinished = path.with_file_name(format!("{UNFINISHED}{name}"));
    let finish = || {
        let mut file = File::create(&unfinished)?;
        io::Write::write_all(&mut file, bytes)?;
        if durable {
            file.sync_data()?;
        }
        fs::rename(&unfinished, path)
    };
    finish().map_err(failed)
}

fn remove(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StateError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
