//! How an image was made.

use longshore_oci::History;

use crate::Image;

/// One step, with what it added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the configuration says.
    pub history: History,
    /// How many bytes its layer has in the store.
    pub size: u64,
}

impl Image {
    /// The steps, the last one first. Layers of which the configuration does not speak come without words.
    pub fn history(&self) -> Vec<Step> {
        let mut layers = self.manifest.layers.iter();
        let mut steps: Vec<Step> = Vec::new();
        for history in &self.config.history {
            let size = if history.empty_layer { 0 } else { layers.next().map_or(0, |layer| layer.size) };
            steps.push(Step { history: history.clone(), size });
        }
        steps.extend(layers.map(|layer| Step { history: History::default(), size: layer.size }));
        steps.reverse();
        steps
    }
}
