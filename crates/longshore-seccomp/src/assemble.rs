//! Decisions as instructions.
//!
//! The program asks for the architecture, then finds the number by halving the ranges, then checks arguments where a
//! decision needs that. It is written from its end to its beginning: jumps only lead forwards, so that whatever a jump
//! leads over is there, and its length known, when the jump is written.

use crate::decide::{Decision, Section};
use crate::profile::{Action, Condition, Operator};
use crate::program::{
    AND, ARCHITECTURE, Instruction, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, LOAD, NUMBER,
    RETURN, lower_half, upper_half,
};

/// The program for all architectures that it speaks of. All others are killed.
pub(crate) fn assemble(sections: &[Section]) -> Vec<Instruction> {
    let mut program = Backwards { code: Vec::with_capacity(1024) };
    program.answer(Action::KillThread);
    for section in sections.iter().rev() {
        let next = program.code.len();
        program.search(&section.ranges);
        program.load(NUMBER);
        program.skip_unless(JUMP_EQUAL, section.audit, next);
    }
    program.load(ARCHITECTURE);
    program.code.reverse();
    program.code
}

/// A program whose last instruction comes first. Places in it are counts of the instructions that follow.
struct Backwards {
    code: Vec<Instruction>,
}

impl Backwards {
    fn load(&mut self, offset: u32) {
        self.code.push(Instruction::plain(LOAD, offset));
    }

    fn answer(&mut self, action: Action) {
        self.code.push(Instruction::plain(RETURN, action.answer()));
    }

    /// How many instructions are to be skipped to reach a place.
    fn distance(&self, place: usize) -> usize {
        self.code.len().saturating_sub(place)
    }

    /// The same, where it is known to be short: inside of one rule, which has few conditions of at most six instructions.
    fn short(&self, place: usize) -> u8 {
        u8::try_from(self.distance(place)).unwrap_or(u8::MAX)
    }

    /// Goes on if a comparison is true, and else to a place, however far.
    fn skip_unless(&mut self, code: u16, k: u32, place: usize) {
        let distance = self.distance(place);
        if let Ok(distance) = u8::try_from(distance) {
            self.code.push(Instruction::compare(code, k, 0, distance));
        } else {
            self.code.push(Instruction::plain(JUMP, u32::try_from(distance).unwrap_or(u32::MAX)));
            self.code.push(Instruction::compare(code, k, 1, 0));
        }
    }

    /// The search for the range of the number that is loaded.
    fn search(&mut self, ranges: &[(u32, Decision)]) {
        if let [(_, only)] = ranges {
            self.decide(only);
            return;
        }
        let Some((low, high)) = ranges.split_at_checked(ranges.len() / 2) else { return };
        let Some((pivot, _)) = high.first() else { return };
        self.search(low);
        let lower = self.code.len();
        self.search(high);
        self.skip_unless(JUMP_GREATER_OR_EQUAL, *pivot, lower);
    }

    /// What happens once the number is known.
    fn decide(&mut self, decision: &Decision) {
        self.answer(decision.otherwise);
        for (conditions, action) in decision.alternatives.iter().rev() {
            let next = self.code.len();
            self.answer(*action);
            for condition in conditions.iter().rev() {
                match (condition.operator, decision.is_wide) {
                    (Operator::MaskedEqual(mask), is_wide) => {
                        self.check_masked(*condition, mask, is_wide, next);
                    }
                    (_, true) => self.check_wide(*condition, next),
                    (_, false) => self.check_lower(*condition, next),
                }
            }
        }
    }

    /// Compares lower halves: goes on if the condition is met, and else to a place.
    fn check_lower(&mut self, condition: Condition, failed: usize) {
        let far = self.short(failed);
        let (code, is_met_if_true) = match condition.operator {
            Operator::Equal | Operator::MaskedEqual(_) => (JUMP_EQUAL, true),
            Operator::NotEqual => (JUMP_EQUAL, false),
            Operator::Greater => (JUMP_GREATER, true),
            Operator::LessOrEqual => (JUMP_GREATER, false),
            Operator::GreaterOrEqual => (JUMP_GREATER_OR_EQUAL, true),
            Operator::Less => (JUMP_GREATER_OR_EQUAL, false),
        };
        let (jt, jf) = if is_met_if_true { (0, far) } else { (far, 0) };
        self.code.push(Instruction::compare(code, low(condition.value), jt, jf));
        self.load(lower_half(condition.argument));
    }

    /// Compares upper halves, and the lower ones if those are equal.
    fn check_wide(&mut self, condition: Condition, failed: usize) {
        let met = self.code.len();
        self.check_lower(condition, failed);
        // Where upper halves lead that are greater, and those that are less.
        let (greater, less) = match condition.operator {
            Operator::Equal | Operator::MaskedEqual(_) => (failed, failed),
            Operator::NotEqual => (met, met),
            Operator::Greater | Operator::GreaterOrEqual => (met, failed),
            Operator::Less | Operator::LessOrEqual => (failed, met),
        };
        let high = high(condition.value);
        self.code.push(Instruction::compare(JUMP_EQUAL, high, 0, self.short(less)));
        if greater != less {
            self.code.push(Instruction::compare(JUMP_GREATER, high, self.short(greater), 0));
        }
        self.load(upper_half(condition.argument));
    }

    /// Compares what a mask leaves of both halves. Most masks leave nothing of the upper one.
    fn check_masked(&mut self, condition: Condition, mask: u64, is_wide: bool, failed: usize) {
        let mut half = |offset, mask, value| {
            self.code.push(Instruction::compare(JUMP_EQUAL, value, 0, self.short(failed)));
            self.code.push(Instruction::plain(AND, mask));
            self.load(offset);
        };
        half(lower_half(condition.argument), low(mask), low(condition.value));
        if is_wide && high(mask) != 0 {
            half(upper_half(condition.argument), high(mask), high(condition.value));
        }
    }
}

const fn low(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

const fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
