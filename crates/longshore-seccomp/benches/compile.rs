//! How long the filter of every container takes to make.

#![forbid(unsafe_code)]

use longshore_seccomp::{Architecture, Profile, Target};

fn main() {
    divan::main();
}

#[divan::bench]
fn docker_default() -> usize {
    let capabilities = &["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_CHROOT"];
    let target = Target { architecture: Architecture::X86_64, capabilities, kernel: (6, 18) };
    Profile::docker_default().compile(&target).map(|program| program.instructions.len()).unwrap_or_default()
}
