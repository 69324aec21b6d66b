//! Who can mend what goes wrong with images, and how.

use longshore_format::{FilterError, FormatError};
use longshore_image::{
    ImportError, LoadError, NameError, PullError, PushError, ReadError, RemoveError, ResolveError, SaveError,
    UnpackError,
};
use longshore_layer::Fault as LayerFault;
use longshore_registry::{Fault, RegistryError};
use longshore_store::StoreError;

use crate::exit::Blame;
use crate::failure::Explained;

impl Explained for StoreError {
    fn blame(&self) -> Blame {
        if self.is_content() { Blame::User } else { Blame::Environment }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            _ if self.is_out_of_space() => {
                "make room, for example with `longshore image prune -a`".to_owned()
            }
            Self::MissingBlob(_) | Self::CorruptBlob { .. } => "pull or load the image again".to_owned(),
            Self::NewerStore { .. } => "use a newer Longshore, or another state directory".to_owned(),
            Self::Io { .. } => {
                "check the permissions of the state directory, and that the disk has room".to_owned()
            }
            _ => "see docs/images.md about the store".to_owned(),
        })
    }
}

impl Explained for ResolveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::Incomplete { .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { text } if text == longshore_engine::ImageSource::HOST => {
                "`host` is this machine itself where containers are made, and nothing that the store has"
                    .to_owned()
            }
            Self::NotFound { text } => {
                format!("`longshore image pull {text}` fetches it; `longshore image ls` shows what is here")
            }
            Self::Ambiguous { .. } => "write more digits of the id".to_owned(),
            Self::Malformed { .. } => "write `NAME[:TAG]`, `NAME@DIGEST` or an id".to_owned(),
            Self::Platform { text, platform, .. } => {
                format!("`longshore image pull --platform {platform} {text}` fetches it")
            }
            Self::Incomplete { .. } | Self::Read { .. } => "pull or load the image again".to_owned(),
            Self::Store(error) => return error.help(),
        })
    }
}

impl Explained for NameError {
    fn blame(&self) -> Blame {
        match self {
            Self::Resolve(error) => error.blame(),
            Self::Store(error) => error.blame(),
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Resolve(error) => error.help(),
            Self::Store(error) => error.help(),
            Self::Reserved => Some("choose another name".to_owned()),
            _ => Some("write `NAME[:TAG]`".to_owned()),
        }
    }
}

impl Explained for UnpackError {
    fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::Layer { source, .. } if source.fault() == LayerFault::Layer => Blame::User,
            _ => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Layer { source, .. } if source.fault() == LayerFault::Layer => {
                Some("the image is damaged or made for other ends; get it from somewhere else".to_owned())
            }
            _ => Some("check the permissions of the state directory, and that the disk has room".to_owned()),
        }
    }
}

impl Explained for ReadError {
    fn blame(&self) -> Blame {
        if let Self::Store(error) = self { error.blame() } else { Blame::User }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Artifact { .. } => Some("only images can be used here".to_owned()),
            _ => Some("the image is damaged; get it from somewhere else".to_owned()),
        }
    }
}

impl Explained for LoadError {
    fn blame(&self) -> Blame {
        match self {
            Self::Open { .. } => Blame::Environment,
            // What the archive itself is to blame for comes as an error without a kind.
            Self::Read { source, .. } if source.kind() != std::io::ErrorKind::Other => Blame::Environment,
            Self::Store(error) => error.blame(),
            Self::Unpack(error) => error.blame(),
            Self::Naming(error) => error.blame(),
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Open { .. } => Some("check the path and its permissions".to_owned()),
            Self::NoImages => {
                Some("`longshore image import` makes an image of a root file system".to_owned())
            }
            Self::Store(error) => error.help(),
            Self::Unpack(error) => error.help(),
            Self::Naming(error) => error.help(),
            Self::Image(error) => error.help(),
            _ => Some("the archive is damaged or made for other ends; save it again".to_owned()),
        }
    }
}

impl Explained for SaveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Resolve(error) => error.blame(),
            Self::Store(error) => error.blame(),
            Self::NotEmpty { .. } => Blame::User,
            _ => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Resolve(error) => error.help(),
            Self::Store(error) => error.help(),
            Self::NotEmpty { .. } => Some("name a directory that is empty or does not exist".to_owned()),
            _ => Some("check the path, its permissions, and that the disk has room".to_owned()),
        }
    }
}

impl Explained for ImportError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(_) | Self::Pack(_) => Blame::Environment,
            Self::Store(error) => error.blame(),
            Self::Unpack(error) => error.blame(),
            Self::Name(error) => error.blame(),
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Unpack(error) => error.help(),
            Self::Name(error) => error.help(),
            Self::Change(_) => {
                Some("write instructions as in a Dockerfile, such as `CMD [\"sh\"]`".to_owned())
            }
            _ => Some("give a tar archive of a root file system, or a directory".to_owned()),
        }
    }
}

impl Explained for RemoveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Resolve(error) => error.blame(),
            Self::Name(error) => error.blame(),
            Self::Store(error) => error.blame(),
            Self::ManyNames { .. } | Self::InUse { .. } => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Resolve(error) => error.help(),
            Self::Name(error) => error.help(),
            Self::Store(error) => error.help(),
            Self::ManyNames { .. } => Some("remove the names one by one, or add `-f`".to_owned()),
            Self::InUse { container, .. } => {
                Some(format!("remove the container {container} first, or add `-f`"))
            }
        }
    }
}

impl Explained for RegistryError {
    fn blame(&self) -> Blame {
        match self.fault() {
            Fault::User => Blame::User,
            Fault::Config => Blame::Config,
            Fault::Environment => Blame::Environment,
            Fault::Remote => Blame::Remote,
        }
    }

    fn help(&self) -> Option<String> {
        Self::help(self)
    }
}

impl Explained for PullError {
    fn blame(&self) -> Blame {
        match self {
            Self::Name(error) => error.blame(),
            Self::Registry(error) => error.blame(),
            Self::Resolve(error) => error.blame(),
            Self::Read(error) => error.blame(),
            Self::Unpack(error) => error.blame(),
            Self::Store(error) => error.blame(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.help(),
            Self::Registry(error) => Explained::help(&**error),
            Self::Resolve(error) => error.help(),
            Self::Read(error) => error.help(),
            Self::Unpack(error) => error.help(),
            Self::Store(error) => error.help(),
        }
    }
}

impl Explained for PushError {
    fn blame(&self) -> Blame {
        match self {
            Self::Registry(error) => error.blame(),
            Self::Resolve(error) => error.blame(),
            Self::Store(error) => error.blame(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Registry(error) => Explained::help(&**error),
            Self::Resolve(error) => error.help(),
            Self::Store(error) => error.help(),
        }
    }
}

impl Explained for FormatError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some("write `json`, `table`, or a template such as `{{.ID}}`".to_owned())
    }
}

impl Explained for FilterError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Malformed(_) => "write filters as `KEY=VALUE`".to_owned(),
            Self::Unknown { known, .. } => format!("filters are: {}", known.join(", ")),
            Self::Value { .. } => "see `--help` for what the filter takes".to_owned(),
        })
    }
}
