//! Where the native engine is tested, and the engine there, as the user whose process this is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use longshore_engine::ImageSource;
use longshore_engine_native::{NativeEngine, NativeOptions};
use longshore_testkit::conformance::{Rootfs, Subject};

/// The name of the image.
const IMAGE: &str = "longshore-conformance";
/// Names a place that another process has made.
pub(crate) const PLACE: &str = "LONGSHORE_CONFORMANCE_PLACE";
/// What the names of places begin with; the number of the process that made it follows.
const PREFIX: &str = "longshore-conformance-home-";

pub(crate) fn subject() -> Result<Subject, String> {
    static SUBJECT: OnceLock<Result<Subject, String>> = OnceLock::new();
    SUBJECT.get_or_init(open).clone()
}

fn open() -> Result<Subject, String> {
    let place = if let Some(path) = std::env::var_os(PLACE) {
        Place(PathBuf::from(path))
    } else {
        let place = Place::make("own", assert_cmd::cargo::cargo_bin!("longshore"))?;
        place.import(&mut place.longshore())?;
        place
    };
    let options = NativeOptions { home: place.home().join("engine"), program: place.program(), brief: false };
    let engine = NativeEngine::open(&options).map_err(|error| error.to_string())?;
    Ok(Subject::new(Arc::new(engine), ImageSource::Image(IMAGE.to_owned())))
}

/// A directory with all that an engine needs: the program, and a home.
pub(crate) struct Place(PathBuf);

impl Place {
    /// Makes a place that every user can reach. It cannot be removed at the end, because tests have no end that they see;
    /// so it is removed by the next tests.
    pub(crate) fn make(name: &str, program: &Path) -> Result<Self, String> {
        let root = std::env::temp_dir();
        sweep(&root);
        let place = Self(root.join(format!("{PREFIX}{}-{name}", std::process::id())));
        let made = fs::create_dir(&place.0)
            .and_then(|()| fs::create_dir(place.home()))
            .and_then(|()| link(program, &place.program()));
        made.map_err(|error| format!("failed to make `{}`: {error}", place.0.display()))?;
        Ok(place)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.0.join("longshore")
    }

    /// A command of the program that works in the home.
    pub(crate) fn longshore(&self) -> Command {
        let mut command = Command::new(self.program());
        command.env("LONGSHORE_HOME", self.home()).env("HOME", self.home()).current_dir(&self.0);
        command
    }

    /// Makes the image of all containers, by a command that is yet without words.
    pub(crate) fn import(&self, longshore: &mut Command) -> Result<(), String> {
        let archive =
            Rootfs::find().and_then(|rootfs| rootfs.archive()).map_err(|error| error.to_string())?;
        let file = self.0.join("rootfs.tar");
        fs::write(&file, archive).map_err(|error| error.to_string())?;
        let imported = longshore.args(["image", "import"]).arg(&file).arg(IMAGE).output();
        let imported = imported.map_err(|error| error.to_string())?;
        if imported.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&imported.stderr).into_owned())
        }
    }
}

/// The same program under a name that every user can reach.
pub(crate) fn link(program: &Path, name: &Path) -> std::io::Result<()> {
    fs::hard_link(program, name).or_else(|_| fs::copy(program, name).map(drop))
}

/// Removes the places of tests that are over.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let over = owner.is_some_and(|owner: u32| !Path::new(&format!("/proc/{owner}")).exists());
        if over {
            // Another user's stays; what another sweep removes at the same time is gone as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
