//! The rules for devices as a program for version 2, which has no controller for them.
//!
//! The kernel runs it (`BPF_PROG_TYPE_CGROUP_DEVICE`) each time a device node is made or opened, with three words: kind
//! and access, major number, minor number. It answers 1 for yes. The program asks the rules from the last to the first;
//! the first that fits answers. A rule that allows fits if it allows all that is wanted; one that denies, if it denies
//! any of it.
//!
//! Instructions are as `linux/bpf.h` has them: operation, registers, offset, immediate, together 8 bytes.

use crate::device::{DeviceAccess, DeviceKind, DeviceRule};

const LOAD_WORD: u8 = 0x61;
const MOVE_REGISTER: u8 = 0xbc;
const MOVE: u8 = 0xb4;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const JUMP_EQUAL: u8 = 0x16;
const JUMP_NOT_EQUAL: u8 = 0x56;
const EXIT: u8 = 0x95;

const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

const BLOCK: u32 = 1;
const CHARACTER: u32 = 2;

/// The bits of access: making, reading, writing.
fn bits(access: DeviceAccess) -> u32 {
    u32::from(access.mknod) | u32::from(access.read) << 1 | u32::from(access.write) << 2
}

const ALL_ACCESS: u32 = 7;

/// The program for some rules, an instruction in each number as the kernel of this machine reads it.
pub fn device_filter(rules: &[DeviceRule]) -> Vec<u64> {
    let load = |target, offset| register(LOAD_WORD, target, CONTEXT, offset);
    let mut program = vec![
        load(KIND, 0),
        register(MOVE_REGISTER, ACCESS, KIND, 0),
        immediate(AND, KIND, 0, 0xffff),
        immediate(SHIFT_RIGHT, ACCESS, 0, 16),
        load(MAJOR, 4),
        load(MINOR, 8),
    ];
    for rule in rules.iter().rev() {
        program.extend(ask(*rule));
        if rule.is_about_everything() {
            // The kernel refuses programs with parts that are never reached.
            return program;
        }
    }
    program.extend(answer(true));
    program
}

fn answer(allow: bool) -> [u64; 2] {
    [immediate(MOVE, ANSWER, 0, u32::from(allow)), immediate(EXIT, 0, 0, 0)]
}

/// One rule: conditions that skip the answer at its end.
fn ask(rule: DeviceRule) -> Vec<u64> {
    // Operation, register and value of each condition, and what is loaded for it first.
    let mut checks: Vec<(Vec<u64>, u8, u8, u32)> = Vec::new();
    match rule.kind {
        DeviceKind::Any => {}
        DeviceKind::Block => checks.push((vec![], JUMP_NOT_EQUAL, KIND, BLOCK)),
        DeviceKind::Character => checks.push((vec![], JUMP_NOT_EQUAL, KIND, CHARACTER)),
    }
    for (number, place) in [(rule.major, MAJOR), (rule.minor, MINOR)] {
        checks.extend(number.map(|number| (vec![], JUMP_NOT_EQUAL, place, number)));
    }
    let access = bits(rule.access);
    if access != ALL_ACCESS {
        let (mask, operation) =
            if rule.allow { (ALL_ACCESS & !access, JUMP_NOT_EQUAL) } else { (access, JUMP_EQUAL) };
        let masked = vec![register(MOVE_REGISTER, ANSWER, ACCESS, 0), immediate(AND, ANSWER, 0, mask)];
        checks.push((masked, operation, ANSWER, 0));
    }
    let mut code: Vec<u64> = answer(rule.allow).to_vec();
    for (before, operation, place, value) in checks.into_iter().rev() {
        // The jump leads over all that follows it in this rule; a rule has at most eleven instructions.
        let skip = u16::try_from(code.len()).unwrap_or(u16::MAX);
        let mut part = before;
        part.push(immediate(operation, place, skip, value));
        part.append(&mut code);
        code = part;
    }
    code
}

fn register(operation: u8, target: u8, source: u8, offset: u16) -> u64 {
    encode(operation, target, source, offset, 0)
}

fn immediate(operation: u8, target: u8, offset: u16, value: u32) -> u64 {
    encode(operation, target, 0, offset, value)
}

fn encode(operation: u8, target: u8, source: u8, offset: u16, value: u32) -> u64 {
    // The two registers are a bit field, whose order follows that of the bytes.
    let registers = if cfg!(target_endian = "little") { source << 4 | target } else { target << 4 | source };
    let [low, high] = offset.to_ne_bytes();
    let [a, b, c, d] = value.to_ne_bytes();
    u64::from_ne_bytes([operation, registers, low, high, a, b, c, d])
}
