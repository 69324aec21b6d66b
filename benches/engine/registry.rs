//! A registry on this machine: `docker-registry`, with a log of requests.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, io};

use crate::engine::{await_until, find};

pub(crate) struct Registry {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Registry {
    /// Starts one on a free port; nothing if it is not installed.
    pub(crate) fn start(directory: &Path) -> io::Result<Option<Self>> {
        let Some(program) = find("docker-registry") else { return Ok(None) };
        fs::create_dir(directory)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let (settings, log) = (directory.join("settings.yml"), directory.join("log"));
        let content = directory.join("content");
        fs::write(
            &settings,
            format!(
                "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{address}'}}\n",
                content.display()
            ),
        )?;
        let output = fs::File::create(&log)?;
        let child = Command::new(program)
            .arg("serve")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        await_until("the registry answers", || TcpStream::connect(&address).is_ok());
        Ok(Some(Self { child, address, log }))
    }

    /// The name of an image in it.
    pub(crate) fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// How many blobs were sent so far, configurations included.
    pub(crate) fn blobs_sent(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("\"GET /v2/") && line.contains("/blobs/")).count()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
