//! Plans of whole repositories, as snapshots.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod plan;
mod render;
