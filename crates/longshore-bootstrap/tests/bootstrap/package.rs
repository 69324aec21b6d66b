//! Packages, made for one test.

use std::io::Write as _;

use longshore_layer::archive::{Builder, Entry, EntryKind};

pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) fields: String,
    compression: &'static str,
    control: Vec<(&'static str, String)>,
    files: Vec<(Entry, Vec<u8>)>,
}

impl Package {
    /// A package of version 1 with a directory or two.
    pub(crate) fn new(name: &'static str, more_fields: &str) -> Self {
        let mut fields = format!("Package: {name}\nVersion: 1\nArchitecture: amd64\n");
        fields.push_str(more_fields);
        let package = Self { name, fields, compression: "xz", control: Vec::new(), files: Vec::new() };
        package
            .entry(Entry::new("./", EntryKind::Directory), b"")
            .entry(Entry::new("./usr/", EntryKind::Directory), b"")
    }

    pub(crate) fn compressed(mut self, ending: &'static str) -> Self {
        self.compression = ending;
        self
    }

    pub(crate) fn control(mut self, name: &'static str, content: &str) -> Self {
        self.control.push((name, content.to_owned()));
        self
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        self.entry(Entry::new(path, EntryKind::File), content.as_bytes())
    }

    pub(crate) fn entry(mut self, mut entry: Entry, content: &[u8]) -> Self {
        entry.size = content.len() as u64;
        self.files.push((entry, content.to_vec()));
        self
    }

    /// The package as `dpkg-deb` would build it.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut control = Builder::new(Vec::new());
        control.append_bytes("./control", self.fields.as_bytes()).unwrap();
        for (name, content) in &self.control {
            let mut entry = Entry::new(format!("./{name}"), EntryKind::File);
            entry.mode = if name.ends_with("inst") { 0o755 } else { 0o644 };
            entry.size = content.len() as u64;
            control.append(&entry, content.as_bytes()).unwrap();
        }
        let mut data = Builder::new(Vec::new());
        for (entry, content) in &self.files {
            data.append(entry, &content[..]).unwrap();
        }
        let mut archive = b"!<arch>\n".to_vec();
        member(&mut archive, "debian-binary", b"2.0\n");
        let (data_name, data) = (format!("data.tar.{}", self.compression), data.finish().unwrap());
        member(&mut archive, "control.tar.gz", &compress("gz", &control.finish().unwrap()));
        member(&mut archive, &data_name, &compress(self.compression, &data));
        archive
    }
}

fn member(archive: &mut Vec<u8>, name: &str, content: &[u8]) {
    writeln!(archive, "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, 0, 100_644, content.len()).unwrap();
    archive.extend_from_slice(content);
    if content.len() % 2 == 1 {
        archive.push(b'\n');
    }
}

pub(crate) fn compress(ending: &str, content: &[u8]) -> Vec<u8> {
    match ending {
        "xz" => {
            let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            writer.write_all(content).unwrap();
            writer.finish().unwrap()
        }
        "gz" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(content).unwrap();
            writer.finish().unwrap()
        }
        _ => zstd::encode_all(content, 1).unwrap(),
    }
}
