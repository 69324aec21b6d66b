//! Programs give the answers that a profile has when it is read rule by rule, for all profiles and all calls.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::interpreter::{Call, check, run};
use super::{ENOSYS, X86_64};
use crate::abi::{Abi, ArchName, Architecture, X32_BIT, multiplexed, numbers};
use crate::number::CALLS;
use crate::profile::{Action, Architectures, Circumstances, Condition, Operator, Profile, Rule};
use crate::program::FilterFlags;
use crate::{CompileError, Target};

/// Values that are near each other in each half, so that comparisons come out both ways.
fn value() -> impl Strategy<Value = u64> {
    let half = || select(vec![0_u64, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]);
    (half(), half()).prop_map(|(high, low)| high << 32 | low)
}

fn operator() -> impl Strategy<Value = Operator> {
    let plain = select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ]);
    prop_oneof![6 => plain, 1 => value().prop_map(Operator::MaskedEqual)]
}

fn condition() -> impl Strategy<Value = Condition> {
    (0_u8..6, operator(), value()).prop_map(|(argument, operator, value)| Condition {
        argument,
        operator,
        value,
    })
}

fn action() -> impl Strategy<Value = Action> {
    select(vec![
        Action::Allow,
        Action::Errno(1),
        Action::Errno(2),
        Action::KillProcess,
        Action::Log,
        Action::Trace(7),
    ])
}

/// Few names, so that rules meet, among them a multiplexed call and its part.
const NAMES: &[&str] =
    &["read", "write", "open", "ioctl", "socket", "socketcall", "bind", "mseal", "set_tls", "clone", "none"];

fn rule() -> impl Strategy<Value = Rule> {
    let few = vec(select(NAMES), 0..4).boxed();
    let many = vec(select(CALLS.iter().map(|(name, _)| *name).collect::<Vec<_>>()), 0..200).boxed();
    let names = prop_oneof![4 => few, 1 => many];
    (names, action(), vec(condition(), 0..4)).prop_map(|(names, action, mut conditions)| {
        conditions.sort_by_key(|condition| condition.argument);
        conditions.dedup_by_key(|condition| condition.argument);
        Rule {
            names: names.into_iter().map(Cow::Borrowed).collect(),
            action,
            conditions,
            includes: Circumstances::default(),
            excludes: Circumstances::default(),
        }
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let names = vec![ArchName::X86, ArchName::X32, ArchName::Arm, ArchName::Other, ArchName::X86_64];
    (action(), vec(select(names), 0..4), vec(rule(), 0..12)).prop_map(|(default, listed, rules)| Profile {
        default,
        architectures: Architectures::Listed(listed),
        flags: FilterFlags::default(),
        rules,
    })
}

fn call() -> impl Strategy<Value = Call> {
    let number = prop_oneof![
        4 => select(NAMES).prop_flat_map(|name| {
            select(numbers(name).unwrap_or([0; 5]).to_vec()).prop_map(i32::cast_unsigned)
        }),
        2 => 0_u32..600,
        1 => any::<u32>(),
    ];
    let audit = select(vec![0xc000_003e_u32, 0x4000_0003, 0xc000_00b7, 0x4000_0028, 7]);
    (number, any::<bool>(), audit, proptest::array::uniform6(value())).prop_map(
        |(number, bit, audit, arguments)| Call {
            number: if bit { number | X32_BIT } else { number },
            audit,
            arguments,
        },
    )
}

/// The answer of a profile, read rule by rule; `None` if rules contradict each other about this call.
fn evaluate(profile: &Profile, architecture: Architecture, call: &Call) -> Option<u32> {
    let interfaces = architecture.interfaces();
    let is_x32 = call.audit == Abi::X32.audit() && call.number >= X32_BIT;
    let Architectures::Listed(listed) = &profile.architectures else { return None };
    let found = interfaces.iter().find(|abi| abi.audit() == call.audit && (**abi == Abi::X32) == is_x32);
    let Some(abi) = found.copied().filter(|abi| *abi == interfaces[0] || listed.contains(&abi.name())) else {
        return Some(Action::KillThread.answer());
    };
    let number = if is_x32 { call.number & !X32_BIT } else { call.number };
    let mut certain: Vec<Action> = Vec::new();
    let (mut possible, mut greatest) = (None, None);
    for rule in &profile.rules {
        for name in &rule.names {
            let Some(row) = numbers(name) else { continue };
            let mut speak = |spoken: u32, conditions: &[Condition]| {
                greatest = greatest.max(Some(spoken));
                if spoken != number || rule.action == profile.default {
                    return;
                }
                if conditions.is_empty() {
                    certain.push(rule.action);
                } else if conditions.iter().all(|condition| holds(*condition, abi, call)) {
                    possible = possible.or(Some(rule.action));
                }
            };
            if let Some(spoken) = abi.number(row) {
                speak(spoken, &rule.conditions);
            }
            if let (Abi::I386, [], Some((spoken, value))) =
                (abi, rule.conditions.as_slice(), multiplexed(name))
            {
                speak(spoken, &[Condition { argument: 0, operator: Operator::Equal, value }]);
            }
        }
    }
    if certain.windows(2).any(|pair| pair[0] != pair[1]) {
        return None;
    }
    let is_beyond = greatest.is_some_and(|greatest| number > greatest) && profile.default.refuses();
    let otherwise = if is_beyond { ENOSYS } else { profile.default.answer() };
    Some(certain.first().copied().or(possible).map_or(otherwise, Action::answer))
}

fn holds(condition: Condition, abi: Abi, call: &Call) -> bool {
    let narrow = |value: u64| if abi.is_wide() { value } else { value & 0xffff_ffff };
    let argument = narrow(call.arguments[usize::from(condition.argument)]);
    let value = narrow(condition.value);
    match condition.operator {
        Operator::Equal => argument == value,
        Operator::NotEqual => argument != value,
        Operator::Less => argument < value,
        Operator::LessOrEqual => argument <= value,
        Operator::Greater => argument > value,
        Operator::GreaterOrEqual => argument >= value,
        Operator::MaskedEqual(mask) => argument & narrow(mask) == value & narrow(mask),
    }
}

proptest! {
    #[test]
    fn programs_say_what_profiles_say(
        profile in profile(),
        architecture in select(vec![Architecture::X86_64, Architecture::Aarch64]),
        calls in vec(call(), 1..64),
    ) {
        match profile.compile(&Target { architecture, ..X86_64 }) {
            Ok(program) => {
                check(&program.instructions).map_err(TestCaseError::fail)?;
                for call in calls {
                    let answer = run(&program.instructions, &call);
                    prop_assert_eq!(answer, evaluate(&profile, architecture, &call), "{:?}", call);
                }
            }
            Err(CompileError::Conflict { name }) => {
                let is_disputed = architecture.interfaces().iter().any(|abi| {
                    let number = numbers(&name).and_then(|row| abi.number(row));
                    let bit = if *abi == Abi::X32 { X32_BIT } else { 0 };
                    number.is_some_and(|number| {
                        let call = Call { number: number | bit, audit: abi.audit(), arguments: [0; 6] };
                        evaluate(&profile, architecture, &call).is_none()
                    })
                });
                prop_assert!(is_disputed, "{name}");
            }
            Err(CompileError::TooLong { instructions }) => prop_assert!(instructions > 4096),
            Err(CompileError::Notify) => prop_assert!(false, "no rule needs a listener"),
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC*") {
        drop(Profile::parse(&text));
    }

    #[test]
    fn no_mistake_in_a_profile_makes_it_panic(
        place in any::<prop::sample::Index>(),
        removed in 0_usize..24,
        inserted in "[0-9\\[\\]{}\",:a-zA-Z_.-]{0,6}",
    ) {
        let place = place.index(PROFILE.len());
        let rest = PROFILE.get(place + removed..).unwrap_or_default();
        let text = [&PROFILE[..place], &inserted, rest].concat();
        if let Ok(profile) = Profile::parse(&text) && let Ok(program) = profile.compile(&X86_64) {
            check(&program.instructions).map_err(TestCaseError::fail)?;
        }
    }
}

/// One of everything.
const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"archMap":[{"architecture":"SCMP_ARCH_X86_64",
"subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],"flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["read","bind"],
"action":"SCMP_ACT_ALLOW"},{"name":"clone","action":"SCMP_ACT_TRACE","errnoRet":38,"args":[{"index":0,"value":2114060288,
"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"},{"index":1,"value":4,"op":"SCMP_CMP_GE"}],"excludes":{"caps":["CAP_SYS_ADMIN"],
"arches":["s390x"]},"includes":{"minKernel":"4.8"}}]}"#;
