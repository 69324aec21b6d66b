//! Any text is a profile that compiles to a program that the kernel could take, or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_seccomp::{Architecture, Profile, Target};

fuzz_target!(|text: &str| {
    let Ok(profile) = Profile::parse(text) else { return };
    for architecture in [Architecture::X86_64, Architecture::Aarch64] {
        for capabilities in [&[][..], &["CAP_SYS_ADMIN"][..]] {
            let target = Target { architecture, capabilities, kernel: (6, 1) };
            if let Ok(program) = profile.compile(&target) {
                let length = program.instructions.len();
                assert!((1..=4096).contains(&length));
                assert_eq!(program.instructions.last().map(|last| last.code), Some(6), "it ends in an answer");
            }
        }
    }
});
