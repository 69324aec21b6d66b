//! How an image was made.

use longshore_oci::History;

use crate::Image;

/// One step, with what it added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the configuration says.
    pub history: History,
    /// How many bytes its layer has.
    pub size: u64,
}

impl Image {
    /// The steps, the last one first, with the sizes of layers from [`Images::layer_sizes`](crate::Images::layer_sizes).
    /// Layers of which the configuration does not speak come without words.
    pub fn history(&self, sizes: &[u64]) -> Vec<Step> {
        let mut layers = sizes.iter().copied();
        let mut steps: Vec<Step> = Vec::new();
        for history in &self.config.history {
            let size = if history.empty_layer { 0 } else { layers.next().unwrap_or(0) };
            steps.push(Step { history: history.clone(), size });
        }
        steps.extend(layers.map(|size| Step { history: History::default(), size }));
        steps.reverse();
        steps
    }
}
