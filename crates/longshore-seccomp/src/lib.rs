//! System call filters: profiles as Docker writes them, compiled to BPF, without I/O.
//!
//! A [`Profile`] says what happens to which system calls. It is read from the JSON of Docker's `--security-opt seccomp=`,
//! or of `linux.seccomp` in the OCI runtime specification ([`Profile::parse`]), or is [`Profile::docker_default`].
//! [`Profile::compile`] settles everything that depends on the container and the machine ([`Target`]) and gives a
//! [`Program`] for `seccomp(2)`. What a profile means is what Docker makes of it with runc and libseccomp:
//!
//! - Names that an architecture does not have are passed over.
//! - A call is decided by a rule without conditions if it has one, else by the first rule whose conditions are all met,
//!   else by the default.
//! - A rule that does what the default does is as if it were not there.
//! - A call that is newer than every call of a profile that refuses by default does not exist (`ENOSYS`), so that
//!   programs fall back to what the profile knows.
//! - On 32-bit architectures only the lower half of a value counts.
//!
//! The kernel runs a new filter once for every number to find the calls that it always allows, so short ways through the
//! program also make containers start faster: numbers are found by binary search over ranges with equal answers.
//!
//! **Invariants:** no input makes this crate panic, and work is in proportion to the profile. A program that compiles is
//! accepted by the kernel: all jumps lead forwards and inside, all ways end in an answer, and it is short enough. A call
//! from an architecture that the profile does not speak of is never allowed.

#![forbid(unsafe_code)]

mod abi;
mod assemble;
mod decide;
mod docker;
mod document;
mod number;
mod profile;
mod program;

#[cfg(test)]
mod tests;

pub use abi::Architecture;
pub use decide::{CompileError, Target};
pub use document::ProfileError;
pub use profile::Profile;
pub use program::{FilterFlags, Instruction, Program};
