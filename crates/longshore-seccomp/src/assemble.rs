//! Decisions as instructions.
//!
//! The program asks for the architecture, then finds the number by halving the ranges, then checks arguments where a
//! decision needs that. Parts are made from their ends, since jumps only lead forwards and their lengths must be known.

use crate::decide::{Decision, Section};
use crate::profile::{Action, Condition, Operator};
use crate::program::{
    AND, ARCHITECTURE, Instruction, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, LOAD, NUMBER,
    RETURN, lower_half, upper_half,
};

/// The program for all architectures that it speaks of. All others are killed.
pub(crate) fn assemble(sections: &[Section]) -> Vec<Instruction> {
    let mut code = vec![Instruction::plain(LOAD, ARCHITECTURE)];
    for section in sections {
        let leaves: Vec<Vec<Instruction>> =
            section.ranges.iter().map(|(_, decision)| leaf(decision)).collect();
        let firsts: Vec<u32> = section.ranges.iter().map(|(first, _)| *first).collect();
        let mut body = vec![Instruction::plain(LOAD, NUMBER)];
        search(&firsts, &leaves, &mut body);
        code.extend(skip_unless(JUMP_EQUAL, section.audit, body.len()));
        code.append(&mut body);
    }
    code.push(answer(Action::KillThread));
    code
}

fn answer(action: Action) -> Instruction {
    Instruction::plain(RETURN, action.answer())
}

/// Goes on if a comparison is true, and else skips some instructions, however many.
fn skip_unless(code: u16, k: u32, count: usize) -> Vec<Instruction> {
    if let Ok(count) = u8::try_from(count) {
        return vec![Instruction::compare(code, k, 0, count)];
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    vec![Instruction::compare(code, k, 1, 0), Instruction::plain(JUMP, count)]
}

/// Adds the search for the range of the number that is loaded.
fn search(firsts: &[u32], leaves: &[Vec<Instruction>], code: &mut Vec<Instruction>) {
    if let [only] = leaves {
        code.extend_from_slice(only);
        return;
    }
    let middle = leaves.len() / 2;
    let (Some((low_firsts, high_firsts)), Some((low_leaves, high_leaves))) =
        (firsts.split_at_checked(middle), leaves.split_at_checked(middle))
    else {
        return;
    };
    let Some(pivot) = high_firsts.first() else { return };
    // The upper half stands first, so that what is skipped is known when the comparison is written.
    let mut upper = Vec::new();
    search(high_firsts, high_leaves, &mut upper);
    code.extend(skip_unless(JUMP_GREATER_OR_EQUAL, *pivot, upper.len()));
    code.append(&mut upper);
    search(low_firsts, low_leaves, code);
}

/// What happens once the number is known.
fn leaf(decision: &Decision) -> Vec<Instruction> {
    let mut code = Vec::new();
    for (conditions, action) in &decision.alternatives {
        let mut rule = vec![answer(*action)];
        for condition in conditions.iter().rev() {
            let mut part = check(*condition, decision.is_wide, rule.len());
            part.append(&mut rule);
            rule = part;
        }
        code.append(&mut rule);
    }
    code.push(answer(decision.otherwise));
    code
}

/// Checks one condition: if it is not met, `rest` more instructions are skipped.
fn check(condition: Condition, is_wide: bool, rest: usize) -> Vec<Instruction> {
    // A rule has few conditions, of at most six instructions each, since each argument has two at the most.
    let far = u8::try_from(rest).unwrap_or(u8::MAX);
    let load_low = Instruction::plain(LOAD, lower_half(condition.argument));
    let load_high = Instruction::plain(LOAD, upper_half(condition.argument));
    let low = (condition.value & u64::from(u32::MAX)) as u32;
    let high = (condition.value >> 32) as u32;
    // What the last comparison says if it is true: that the condition is met, or that it is not.
    let last = |code, is_met_if_true: bool| {
        let (jt, jf) = if is_met_if_true { (0, far) } else { (far, 0) };
        Instruction::compare(code, low, jt, jf)
    };
    let tail = match condition.operator {
        Operator::MaskedEqual(mask) => {
            return check_masked(condition, mask, is_wide, far);
        }
        Operator::Equal => last(JUMP_EQUAL, true),
        Operator::NotEqual => last(JUMP_EQUAL, false),
        Operator::Greater => last(JUMP_GREATER, true),
        Operator::LessOrEqual => last(JUMP_GREATER, false),
        Operator::GreaterOrEqual => last(JUMP_GREATER_OR_EQUAL, true),
        Operator::Less => last(JUMP_GREATER_OR_EQUAL, false),
    };
    if !is_wide {
        return vec![load_low, tail];
    }
    // From the comparison of upper halves: past the rest of this check, and past the rule.
    let equal = |met: u8, not_met: u8| Instruction::compare(JUMP_EQUAL, high, met, not_met);
    match condition.operator {
        Operator::NotEqual => vec![load_high, equal(0, 2), load_low, tail],
        Operator::Greater | Operator::GreaterOrEqual => {
            let greater = Instruction::compare(JUMP_GREATER, high, 3, 0);
            vec![load_high, greater, equal(0, far.saturating_add(2)), load_low, tail]
        }
        Operator::Less | Operator::LessOrEqual => {
            let greater = Instruction::compare(JUMP_GREATER, high, far.saturating_add(3), 0);
            vec![load_high, greater, equal(0, 2), load_low, tail]
        }
        Operator::Equal | Operator::MaskedEqual(_) => {
            vec![load_high, equal(0, far.saturating_add(2)), load_low, tail]
        }
    }
}

fn check_masked(condition: Condition, mask: u64, is_wide: bool, far: u8) -> Vec<Instruction> {
    let half = |offset: u32, shift: u32, far: u8| {
        let (mask, value) = ((mask >> shift) as u32, (condition.value >> shift) as u32);
        [
            Instruction::plain(LOAD, offset),
            Instruction::plain(AND, mask),
            Instruction::compare(JUMP_EQUAL, value, 0, far),
        ]
    };
    let low = half(lower_half(condition.argument), 0, far);
    // Most masks say nothing about the upper half.
    if !is_wide || mask >> 32 == 0 {
        return low.to_vec();
    }
    [half(upper_half(condition.argument), 32, far.saturating_add(3)), low].concat()
}
