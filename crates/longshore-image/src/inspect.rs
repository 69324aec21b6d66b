//! An image as `docker image inspect` shows it.

use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use longshore_oci::Reference;
use serde_json::{Map, Value, json};

use crate::Listed;

impl Listed {
    /// The document with Docker's names of fields. `uppermost` is the directory of the last layer, if it is unpacked.
    pub fn inspection(&self, layers: &[std::path::PathBuf]) -> Value {
        let image = &self.image;
        let config = &image.config;
        let last = config.history.last();
        let familiar = |names: &mut dyn Iterator<Item = &Reference>| {
            names.map(|name| Value::from(name.familiar())).collect()
        };
        let tags: Value = familiar(&mut self.tags());
        let digests: Value = familiar(&mut self.digests.iter());
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
        put("Id", image.id().to_string().into());
        put("RepoTags", tags);
        put("RepoDigests", digests);
        put("Parent", "".into());
        put("Comment", last.and_then(|step| step.comment.clone()).unwrap_or_default().into());
        put("Created", config.created.clone().unwrap_or_default().into());
        put("DockerVersion", text(&config.extra, "docker_version"));
        put("Author", config.author.clone().unwrap_or_default().into());
        put("Config", serde_json::to_value(&config.config).unwrap_or_default());
        put("Architecture", config.platform.architecture.clone().into());
        if let Some(variant) = &config.platform.variant {
            put("Variant", variant.clone().into());
        }
        put("Os", config.platform.os.clone().into());
        if let Some(version) = &config.platform.os_version {
            put("OsVersion", version.clone().into());
        }
        put("Size", self.size.into());
        put("GraphDriver", graph_driver(layers));
        put("RootFS", json!({"Type": "layers", "Layers": config.rootfs.diff_ids}));
        put("Metadata", json!({"LastTagTime": time(self.added)}));
        put("Descriptor", serde_json::to_value(&image.root).unwrap_or_default());
        Value::Object(document)
    }
}

/// Where the layers are, if they are unpacked.
fn graph_driver(layers: &[std::path::PathBuf]) -> Value {
    let shown = |path: &Path| path.display().to_string();
    let mut data = Map::new();
    if let Some((upper, lower)) = layers.split_first() {
        data.insert("UpperDir".to_owned(), shown(upper).into());
        if !lower.is_empty() {
            let lower: Vec<String> = lower.iter().map(|path| shown(path)).collect();
            data.insert("LowerDir".to_owned(), lower.join(":").into());
        }
    }
    json!({"Name": "overlay2", "Data": data})
}

fn text(fields: &Map<String, Value>, name: &str) -> Value {
    fields.get(name).filter(|value| value.is_string()).cloned().unwrap_or_else(|| "".into())
}

/// A time as RFC 3339 writes it.
pub(crate) fn time(time: SystemTime) -> String {
    Timestamp::try_from(time).map(|time| time.to_string()).unwrap_or_default()
}
