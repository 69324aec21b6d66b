//! What profiles mean: tables of known answers, and programs against a second, direct reading of the same profile.

mod docker;
mod documents;
mod interpreter;
mod properties;

use crate::abi::{Abi, Architecture, X32_BIT, numbers};
use crate::program::Program;
use crate::{Profile, Target};
use interpreter::{Call, run};

/// `SECCOMP_RET_*`.
const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;

const X86_64: Target<'_> = Target { architecture: Architecture::X86_64, capabilities: &[], kernel: (6, 18) };

fn compile(profile: &str, target: &Target<'_>) -> Program {
    Profile::parse(profile).unwrap().compile(target).unwrap()
}

/// The answer to a call by name.
fn ask(program: &Program, abi: Abi, name: &str, arguments: &[u64]) -> u32 {
    let number = abi.number(numbers(name).unwrap()).unwrap();
    let number = if abi == Abi::X32 { number | X32_BIT } else { number };
    ask_number(program, abi, number, arguments)
}

fn ask_number(program: &Program, abi: Abi, number: u32, arguments: &[u64]) -> u32 {
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(arguments) {
        *place = *argument;
    }
    run(&program.instructions, &Call { number, audit: abi.audit(), arguments: all }).unwrap()
}
