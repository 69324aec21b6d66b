//! From labels of `runs-on` to images.

use std::collections::BTreeMap;

use longshore_engine::ImageSource;
use thiserror::Error;

/// Images by label.
#[derive(Debug, Clone, Default)]
pub struct ImageMap {
    rules: BTreeMap<String, ImageSource>,
}

/// Nothing here runs what a job asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("nothing here runs `{labels}`")]
pub struct UnknownRunner {
    /// The labels, comma separated.
    pub labels: String,
}

impl UnknownRunner {
    /// What to do about it.
    pub fn help(&self) -> String {
        let label = self.labels.split(", ").next().unwrap_or_default();
        format!(
            "name an image for it: `--runs-on {label}=IMAGE`, or `{label} = \"IMAGE\"` below `[runners.images]` in longshore.toml"
        )
    }
}

/// Beginnings of labels that Linux machines of this architecture have.
const LINUX: [&str; 3] = ["ubuntu", "linux", "self-hosted"];

impl ImageMap {
    /// Images for labels; a label counts in any case.
    pub fn new(rules: impl IntoIterator<Item = (String, ImageSource)>) -> Self {
        Self { rules: rules.into_iter().map(|(label, image)| (label.to_lowercase(), image)).collect() }
    }

    /// The image for a job that asks for these labels: that of the first label with a rule; else the built-in image `host`
    /// for what a Linux machine of this architecture offers.
    ///
    /// # Errors
    /// A label names another system, and no rule says what to do.
    pub fn find(&self, labels: &[String]) -> Result<ImageSource, UnknownRunner> {
        let lower: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
        if let Some(image) = lower.iter().find_map(|label| self.rules.get(label)) {
            return Ok(image.clone());
        }
        let foreign = lower.iter().any(|label| {
            let other_system = ["windows", "macos"].iter().any(|name| label.starts_with(name));
            let other_machine = match std::env::consts::ARCH {
                "x86_64" => label == "arm64" || label == "arm" || label.ends_with("-arm"),
                _ => label == "x64" || label == "x86",
            };
            other_system || other_machine
        });
        let known =
            lower.is_empty() || lower.iter().any(|label| LINUX.iter().any(|name| label.starts_with(name)));
        if known && !foreign {
            return Ok(ImageSource::Host);
        }
        Err(UnknownRunner { labels: labels.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::ImageSource;

    use super::ImageMap;

    #[test]
    fn labels_find_their_image() {
        let map = ImageMap::new([
            ("Ubuntu-22.04".to_owned(), ImageSource::parse("debian:bookworm")),
            ("gpu".to_owned(), ImageSource::Host),
        ]);
        let find = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            map.find(&labels).map(|image| image.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(find(&["ubuntu-latest"]), Ok("host".to_owned()));
        assert_eq!(find(&["ubuntu-22.04"]), Ok("debian:bookworm".to_owned()));
        assert_eq!(find(&["self-hosted", "linux", "GPU"]), Ok("host".to_owned()));
        assert_eq!(find(&["windows-latest"]), Err("nothing here runs `windows-latest`".to_owned()));
        assert_eq!(find(&["self-hosted", "macOS"]), Err("nothing here runs `self-hosted, macOS`".to_owned()));
        assert_eq!(find(&["blacksmith-4vcpu"]), Err("nothing here runs `blacksmith-4vcpu`".to_owned()));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(find(&["ubuntu-24.04-arm"]), Err("nothing here runs `ubuntu-24.04-arm`".to_owned()));
    }
}
