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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{
        ACCESS, ALL_ACCESS, AND, BLOCK, CHARACTER, EXIT, JUMP_EQUAL, JUMP_NOT_EQUAL, LOAD_WORD, MOVE,
        MOVE_REGISTER, SHIFT_RIGHT, bits, device_filter,
    };
    use crate::device::{DeviceAccess, DeviceKind, DeviceRule};

    /// Runs a program as the kernel does.
    fn run(program: &[u64], context: [u32; 3]) -> u32 {
        let mut registers = [0_u32; 6];
        let mut place = 0;
        loop {
            let [operation, sides, low, high, a, b, c, d] = program[place].to_ne_bytes();
            let (target, source) = (usize::from(sides & 15), usize::from(sides >> 4));
            let offset = usize::from(u16::from_ne_bytes([low, high]));
            let value = u32::from_ne_bytes([a, b, c, d]);
            place += 1;
            match operation {
                LOAD_WORD => registers[target] = context[offset / 4],
                MOVE_REGISTER => registers[target] = registers[source],
                MOVE => registers[target] = value,
                AND => registers[target] &= value,
                SHIFT_RIGHT => registers[target] >>= value,
                JUMP_EQUAL if registers[target] == value => place += offset,
                JUMP_NOT_EQUAL if registers[target] != value => place += offset,
                JUMP_EQUAL | JUMP_NOT_EQUAL => {}
                EXIT => return registers[0],
                _ => panic!("{operation:#x}"),
            }
        }
    }

    fn decide(rules: &[DeviceRule], kind: u32, access: u32, major: u32, minor: u32) -> bool {
        let fits = |rule: &&DeviceRule| {
            let is_kind = match rule.kind {
                DeviceKind::Any => true,
                DeviceKind::Block => kind == BLOCK,
                DeviceKind::Character => kind == CHARACTER,
            };
            let is_access =
                if rule.allow { access & !bits(rule.access) == 0 } else { access & bits(rule.access) != 0 };
            is_kind
                && is_access
                && rule.major.is_none_or(|number| number == major)
                && rule.minor.is_none_or(|number| number == minor)
        };
        rules.iter().rev().find(fits).is_none_or(|rule| rule.allow)
    }

    fn rule() -> impl Strategy<Value = DeviceRule> {
        let kind = select(vec![DeviceKind::Any, DeviceKind::Block, DeviceKind::Character]);
        let number = || prop::option::of(0_u32..3);
        let access =
            (any::<[bool; 3]>()).prop_map(|[read, write, mknod]| DeviceAccess { read, write, mknod });
        (any::<bool>(), kind, number(), number(), access)
            .prop_map(|(allow, kind, major, minor, access)| DeviceRule { allow, kind, major, minor, access })
    }

    proptest! {
        #[test]
        fn the_last_rule_that_fits_answers(
            rules in vec(prop_oneof![1 => Just(DeviceRule::DENY_ALL), 9 => rule()], 0..8),
            kind in BLOCK..=CHARACTER,
            access in 1..=ALL_ACCESS,
            major in 0_u32..3,
            minor in 0_u32..3,
        ) {
            let answer = run(&device_filter(&rules), [access << 16 | kind, major, minor]);
            prop_assert_eq!(answer == 1, decide(&rules, kind, access, major, minor));
        }
    }

    #[test]
    fn a_register_has_its_place() {
        assert_eq!(super::register(MOVE_REGISTER, ACCESS, 2, 0).to_ne_bytes()[..2], [0xbc, 0x23]);
    }
}
