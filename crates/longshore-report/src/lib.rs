//! What people and machines are shown.
//!
//! Every output format lives here, one file each; adding a format changes nothing else. Functions take the models of
//! the pure crates and give back text, and displays of runs write to the stream that they are given; they read no
//! environment and know no terminal: whoever calls says through [`Style`] whether colour is wanted. Only the `*Dto` types of this crate are serialised, so the
//! models stay free to change while the documented JSON stays as it is.
//!
//! **Invariant:** colour is decoration. With and without it the same words stand in the same order, and no control
//! character from a file or a message reaches the terminal.

#![forbid(unsafe_code)]

pub mod diagnostic;
mod error;
pub mod plan;
mod plural;
mod progress;
pub mod run;
mod style;

pub use error::render_error;
pub use plural::count;
pub use progress::Progress;
pub use style::{Role, Style, visible};
