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

/// How far a comparison may lead. A little less than the kernel takes, since what is settled for one side of a comparison
/// may add to the way to the other.
const REACH: usize = 200;

/// The program for all architectures that it speaks of. All others are killed.
pub(crate) fn assemble(sections: &[Section]) -> Vec<Instruction> {
    let mut program = Backwards { code: Vec::with_capacity(1024), answers: Vec::new() };
    program.answer(Action::KillThread);
    for section in sections.iter().rev() {
        let next = program.code.len();
        if let Goal::Answer(action) = program.search(&section.ranges) {
            program.answer(action);
        }
        program.load(NUMBER);
        program.skip_unless(JUMP_EQUAL, section.audit, next);
    }
    program.load(ARCHITECTURE);
    program.code.reverse();
    program.code
}

/// A program whose last instruction comes first. Places in it are counts: of the instructions from there to the end.
struct Backwards {
    code: Vec<Instruction>,
    /// The latest place of each answer. Answers are shared by all that can reach them, because the kernel translates each
    /// instruction anew for every container.
    answers: Vec<(Action, usize)>,
}

/// Where a search leads.
#[derive(Clone, Copy)]
enum Goal {
    Answer(Action),
    Place(usize),
}

impl Backwards {
    fn push(&mut self, instruction: Instruction) -> usize {
        self.code.push(instruction);
        self.code.len()
    }

    fn load(&mut self, offset: u32) {
        self.push(Instruction::plain(LOAD, offset));
    }

    fn answer(&mut self, action: Action) -> usize {
        let place = self.push(Instruction::plain(RETURN, action.answer()));
        match self.answers.iter_mut().find(|(other, _)| *other == action) {
            Some(known) => known.1 = place,
            None => self.answers.push((action, place)),
        }
        place
    }

    /// How many instructions are to be skipped to reach a place.
    fn distance(&self, place: usize) -> usize {
        self.code.len().saturating_sub(place)
    }

    /// The same, where it is known to be short: to what is near, or inside of one rule, which has few conditions of at most
    /// six instructions.
    fn short(&self, place: usize) -> u8 {
        u8::try_from(self.distance(place)).unwrap_or(u8::MAX)
    }

    /// A place with an answer that the next instructions can reach.
    fn near_answer(&mut self, action: Action) -> usize {
        let known = self.answers.iter().find(|(other, _)| *other == action).map(|(_, place)| *place);
        match known.filter(|place| self.distance(*place) <= REACH) {
            Some(place) => place,
            None => self.answer(action),
        }
    }

    /// A place that the next instructions can reach, and that leads to a goal.
    fn near(&mut self, goal: Goal) -> usize {
        match goal {
            Goal::Answer(action) => self.near_answer(action),
            Goal::Place(place) if self.distance(place) <= REACH => place,
            Goal::Place(place) => self.jump(place),
        }
    }

    fn jump(&mut self, place: usize) -> usize {
        let distance = u32::try_from(self.distance(place)).unwrap_or(u32::MAX);
        self.push(Instruction::plain(JUMP, distance))
    }

    /// Goes on if a comparison is true, and else to a place, however far.
    fn skip_unless(&mut self, code: u16, k: u32, place: usize) {
        let next = self.code.len();
        let place = self.near(Goal::Place(place));
        let (jt, jf) = (self.short(next), self.short(place));
        self.push(Instruction::compare(code, k, jt, jf));
    }

    /// The search for the range of the number that is loaded. If it leads to a place, that is the last one written.
    fn search(&mut self, ranges: &[(u32, Decision)]) -> Goal {
        match ranges {
            [] => return Goal::Answer(Action::KillThread),
            [(_, only)] => return self.decide(only),
            _ => {}
        }
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let pivot = high.first().map_or(0, |(first, _)| *first);
        let (low, high) = (self.search(low), self.search(high));
        let (low, high) = (self.near(low), self.near(high));
        let (jt, jf) = (self.short(high), self.short(low));
        Goal::Place(self.push(Instruction::compare(JUMP_GREATER_OR_EQUAL, pivot, jt, jf)))
    }

    /// What happens once the number is known.
    fn decide(&mut self, decision: &Decision) -> Goal {
        let mut next = Goal::Answer(decision.otherwise);
        for (conditions, action) in decision.alternatives.iter().rev() {
            let failed = self.near(next);
            let mut met = self.near_answer(*action);
            for condition in conditions.iter().rev() {
                match (condition.operator, decision.is_wide) {
                    (Operator::MaskedEqual(mask), is_wide) => {
                        self.check_masked(*condition, mask, is_wide, (met, failed));
                    }
                    (_, true) => self.check_wide(*condition, (met, failed)),
                    (_, false) => self.check_lower(*condition, (met, failed)),
                }
                met = self.code.len();
            }
            next = Goal::Place(self.code.len());
        }
        next
    }

    /// Compares lower halves, and goes on where the condition is met, or where it has failed.
    fn check_lower(&mut self, condition: Condition, (met, failed): (usize, usize)) {
        let (code, is_met_if_true) = match condition.operator {
            Operator::Equal | Operator::MaskedEqual(_) => (JUMP_EQUAL, true),
            Operator::NotEqual => (JUMP_EQUAL, false),
            Operator::Greater => (JUMP_GREATER, true),
            Operator::LessOrEqual => (JUMP_GREATER, false),
            Operator::GreaterOrEqual => (JUMP_GREATER_OR_EQUAL, true),
            Operator::Less => (JUMP_GREATER_OR_EQUAL, false),
        };
        let (jt, jf) = if is_met_if_true { (met, failed) } else { (failed, met) };
        let (jt, jf) = (self.short(jt), self.short(jf));
        self.push(Instruction::compare(code, low(condition.value), jt, jf));
        self.load(lower_half(condition.argument));
    }

    /// Compares upper halves, and the lower ones if those are equal.
    fn check_wide(&mut self, condition: Condition, (met, failed): (usize, usize)) {
        self.check_lower(condition, (met, failed));
        // Where upper halves lead that are greater, and those that are less.
        let (greater, less) = match condition.operator {
            Operator::Equal | Operator::MaskedEqual(_) => (failed, failed),
            Operator::NotEqual => (met, met),
            Operator::Greater | Operator::GreaterOrEqual => (met, failed),
            Operator::Less | Operator::LessOrEqual => (failed, met),
        };
        let high = high(condition.value);
        let less_or_equal = Instruction::compare(JUMP_EQUAL, high, 0, self.short(less));
        self.push(less_or_equal);
        if greater != less {
            let compared = Instruction::compare(JUMP_GREATER, high, self.short(greater), 0);
            self.push(compared);
        }
        self.load(upper_half(condition.argument));
    }

    /// Compares what a mask leaves of both halves. Most masks leave nothing of the upper one.
    fn check_masked(
        &mut self,
        condition: Condition,
        mask: u64,
        is_wide: bool,
        (met, failed): (usize, usize),
    ) {
        let mut half = |offset, mask, value, met| {
            let compared = Instruction::compare(JUMP_EQUAL, value, self.short(met), self.short(failed));
            self.push(compared);
            self.push(Instruction::plain(AND, mask));
            self.push(Instruction::plain(LOAD, offset))
        };
        let lower = half(lower_half(condition.argument), low(mask), low(condition.value), met);
        if is_wide && high(mask) != 0 {
            half(upper_half(condition.argument), high(mask), high(condition.value), lower);
        }
    }
}

const fn low(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

const fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
