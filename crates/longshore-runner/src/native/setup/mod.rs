//! The actions that set up tools: Python, Node, Go, Java, uv, Rust, pnpm.
//!
//! They take what is there: on the paths of the job's container, in the tool cache, and where version managers keep
//! theirs. The newest version that fits what is wanted is chosen, and the log says which and from where. If none fits, the
//! tool's own installer is asked, where there is one that gets along with package registries (uv, Go's toolchains, rustup,
//! npm); else the step fails and says what there is.
//!
//! Looking and installing happen inside of the job's container, with its programs and its network.

mod actions_rs;
mod cached;
mod capture;
mod failure;
mod fetched;
mod go;
mod installed;
mod java;
mod matcher;
mod node;
mod pnpm;
mod python;
mod rust;
mod uv;
mod version;

pub(super) use actions_rs::{cargo as rust_command, toolchain as rust_release};
pub(super) use cached::post;
pub(super) use go::main as go;
pub(super) use java::main as java;
pub(super) use node::main as node;
pub(super) use pnpm::main as pnpm;
pub(super) use python::main as python;
pub(super) use rust::{cache as rust_cache, setup as rust_setup, toolchain as rust_toolchain};
pub(super) use uv::main as uv;
