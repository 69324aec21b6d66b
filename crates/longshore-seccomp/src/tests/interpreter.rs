//! The kernel's side: it checks a program as `seccomp_check_filter` does, and runs it.

use crate::program::{
    AND, Instruction, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, LOAD, MAX_INSTRUCTIONS, RETURN,
};

/// `struct seccomp_data`, as far as profiles can see it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) audit: u32,
    pub(super) arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> Option<u32> {
        match offset {
            0 => Some(self.number),
            4 => Some(self.audit),
            16..64 if offset.is_multiple_of(4) => {
                let argument = self.arguments[usize::try_from((offset - 16) / 8).unwrap()];
                Some((argument >> (8 * (offset % 8))) as u32)
            }
            _ => None,
        }
    }
}

/// Why the kernel would refuse a program, if it would.
pub(super) fn check(program: &[Instruction]) -> Result<(), String> {
    if program.is_empty() || program.len() > MAX_INSTRUCTIONS {
        return Err(format!("{} instructions", program.len()));
    }
    for (place, instruction) in program.iter().enumerate() {
        let reach = match instruction.code {
            LOAD if instruction.k < 64 && instruction.k.is_multiple_of(4) => 0,
            AND | RETURN => 0,
            JUMP => usize::try_from(instruction.k).unwrap(),
            JUMP_EQUAL | JUMP_GREATER | JUMP_GREATER_OR_EQUAL => {
                usize::from(instruction.jt.max(instruction.jf))
            }
            _ => return Err(format!("{place}: {instruction:?}")),
        };
        if instruction.code != RETURN && place + 1 + reach >= program.len() {
            return Err(format!("{place} leads outside: {instruction:?}"));
        }
    }
    Ok(())
}

/// The answer of a program, and after how many instructions.
pub(super) fn run_counting(program: &[Instruction], call: &Call) -> Option<(u32, usize)> {
    let (mut place, mut accumulator, mut steps) = (0, 0_u32, 0);
    loop {
        let Instruction { code, jt, jf, k } = *program.get(place)?;
        (place, steps) = (place + 1, steps + 1);
        let skip = |is_true: bool| usize::from(if is_true { jt } else { jf });
        match code {
            LOAD => accumulator = call.word(k)?,
            AND => accumulator &= k,
            JUMP => place += usize::try_from(k).ok()?,
            JUMP_EQUAL => place += skip(accumulator == k),
            JUMP_GREATER => place += skip(accumulator > k),
            JUMP_GREATER_OR_EQUAL => place += skip(accumulator >= k),
            RETURN => return Some((k, steps)),
            _ => return None,
        }
    }
}

pub(super) fn run(program: &[Instruction], call: &Call) -> Option<u32> {
    run_counting(program, call).map(|(answer, _)| answer)
}
