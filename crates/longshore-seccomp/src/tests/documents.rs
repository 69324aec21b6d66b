//! Profiles as texts: what is understood, and what is refused with which words.

use std::error::Error as _;

use super::{ALLOW, ENOSYS, EPERM, KILL, X86_64, ask, ask_number, compile};
use crate::abi::{Abi, X32_BIT};
use crate::{CompileError, FilterFlags, Profile, ProfileError, Target};

fn refusal(text: &str) -> String {
    let error = Profile::parse(text).unwrap_err();
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "missing field `defaultAction` at line 1 column 2"),
        (r#"{"defaultAction": "ALLOW"}"#, "unknown variant `ALLOW`, expected one of"),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 5000}]}",
            "`5000` is not an error number, 0 to 4095 at line 2",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}"#,
            "a call has no argument `6`, only 0 to 5",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "new"}}]}"#,
            "`new` is not a version of the kernel such as `4.8`",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}"#,
            "the profile has `architectures` and `archMap`, which exclude each other",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_LOG"}]}"#,
            "`syscalls[0]` must have either `names` or `name`",
        ),
    ];
    for (text, expected) in cases {
        let refusal = refusal(text);
        assert!(refusal.contains(expected), "{refusal}");
    }
    assert!(matches!(Profile::parse(&" ".repeat((1 << 20) + 1)), Err(ProfileError::TooLong(_))));
}

#[test]
fn the_runtime_specification_s_form_is_understood() {
    let text = r#"{
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
        "syscalls": [
            {"names": ["read", "write", "nonsense"], "action": "SCMP_ACT_ALLOW", "args": null, "includes": null},
            {"name": "close", "action": "SCMP_ACT_ERRNO", "comment": "the old way of naming"}
        ]
    }"#;
    let program = compile(text, &X86_64);
    assert_eq!(program.flags, FilterFlags::LOG.with(FilterFlags::TSYNC));
    for abi in [Abi::X86_64, Abi::I386] {
        assert_eq!(ask(&program, abi, "write", &[]), ALLOW);
        assert_eq!(ask(&program, abi, "close", &[]), EPERM);
        assert_eq!(ask(&program, abi, "open", &[]), ENOSYS);
    }
    // x32 is not named.
    assert_eq!(ask_number(&program, Abi::X86_64, X32_BIT, &[]), KILL);
}

#[test]
fn all_actions_have_the_kernel_s_answers() {
    let cases = [
        ("SCMP_ACT_KILL", 0),
        ("SCMP_ACT_KILL_THREAD", 0),
        ("SCMP_ACT_KILL_PROCESS", 0x8000_0000),
        ("SCMP_ACT_TRAP", 0x0003_0000),
        ("SCMP_ACT_ERRNO", 0x0005_0007),
        ("SCMP_ACT_TRACE", 0x7ff0_0007),
        ("SCMP_ACT_LOG", 0x7ffc_0000),
    ];
    for (action, answer) in cases {
        let text = format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": ["read"], "action": "{action}", "errnoRet": 7}}]}}"#
        );
        assert_eq!(ask(&compile(&text, &X86_64), Abi::X86_64, "read", &[]), answer);
    }
}

fn with_rules(default: &str, rules: &str) -> String {
    format!(r#"{{"defaultAction": "SCMP_ACT_{default}", "syscalls": [{rules}]}}"#)
}

#[test]
fn a_permissive_profile_knows_newer_calls() {
    let rule = r#"{"names": ["read"], "action": "SCMP_ACT_ERRNO"}"#;
    let program = compile(&with_rules("ALLOW", rule), &X86_64);
    assert_eq!(ask_number(&program, Abi::X86_64, 9999, &[]), ALLOW);
    assert_eq!(ask(&program, Abi::X86_64, "read", &[]), EPERM);
    assert_eq!(ask(&program, Abi::X86_64, "write", &[]), ALLOW);
}

#[test]
fn rules_without_conditions_come_first_and_must_agree() {
    let conditional = r#"{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}"#;
    let always = r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW"}"#;
    let never = r#"{"names": ["read"], "action": "SCMP_ACT_KILL"}"#;
    let program = compile(&with_rules("ERRNO", &format!("{conditional},{always}")), &X86_64);
    assert_eq!(ask(&program, Abi::X86_64, "read", &[1]), ALLOW);
    let profile = Profile::parse(&with_rules("ERRNO", &format!("{always},{never}"))).unwrap();
    assert_eq!(profile.compile(&X86_64), Err(CompileError::Conflict { name: "read".into() }));
    // What only repeats the default contradicts nothing.
    let program = compile(&with_rules("KILL", &format!("{always},{never}")), &X86_64);
    assert_eq!(ask(&program, Abi::X86_64, "read", &[]), ALLOW);
}

#[test]
fn conditions_on_several_arguments_must_all_be_met_and_on_one_argument_one_must() {
    let rule = |conditions: &str| {
        with_rules(
            "ERRNO",
            &format!(r#"{{"names": ["lseek"], "action": "SCMP_ACT_ALLOW", "args": [{conditions}]}}"#),
        )
    };
    let condition =
        |index: u32, value: u32| format!(r#"{{"index": {index}, "value": {value}, "op": "SCMP_CMP_EQ"}}"#);
    let both = compile(&rule(&format!("{},{}", condition(0, 1), condition(1, 2))), &X86_64);
    let one = compile(&rule(&format!("{},{}", condition(0, 1), condition(0, 2))), &X86_64);
    let answers =
        |program| [[1, 2], [1, 0], [2, 2], [0, 0]].map(|pair| ask(program, Abi::X86_64, "lseek", &pair));
    assert_eq!(answers(&both), [ALLOW, EPERM, EPERM, EPERM]);
    assert_eq!(answers(&one), [ALLOW, ALLOW, ALLOW, EPERM]);
}

#[test]
fn a_part_of_a_multiplexed_call_is_allowed_with_its_own_name() {
    let rule = r#"{"names": ["bind"], "action": "SCMP_ACT_ALLOW"}"#;
    let text = with_rules("ERRNO", rule)
        .replace("\"syscalls\"", "\"architectures\": [\"SCMP_ARCH_X86\"], \"syscalls\"");
    let program = compile(&text, &X86_64);
    assert_eq!(ask(&program, Abi::I386, "socketcall", &[2]), ALLOW);
    assert_eq!(ask(&program, Abi::I386, "socketcall", &[1]), EPERM);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let notify = with_rules("ALLOW", r#"{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}"#);
    assert_eq!(Profile::parse(&notify).unwrap().compile(&X86_64), Err(CompileError::Notify));
    let rules: Vec<String> = (0..2000)
        .map(|value| format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{{"index": 0, "value": {value}, "op": "SCMP_CMP_EQ"}}]}}"#))
        .collect();
    let profile = Profile::parse(&with_rules("ERRNO", &rules.join(","))).unwrap();
    assert!(matches!(profile.compile(&X86_64), Err(CompileError::TooLong { .. })));
}

#[test]
fn circumstances_decide_which_rules_count() {
    let rule = |circumstances: &str| {
        with_rules("ERRNO", &format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ALLOW", {circumstances}}}"#))
    };
    let target = Target { capabilities: &["CAP_A", "CAP_B"], kernel: (5, 4), ..X86_64 };
    let cases = [
        (r#""includes": {"caps": ["CAP_A", "CAP_B"]}"#, true),
        (r#""includes": {"caps": ["CAP_A", "CAP_C"]}"#, false),
        (r#""excludes": {"caps": ["CAP_A", "CAP_C"]}"#, false),
        (r#""excludes": {"caps": ["CAP_C"]}"#, true),
        (r#""includes": {"arches": ["amd64", "arm64"]}"#, true),
        (r#""includes": {"arches": ["x86", "arm64"]}"#, false),
        (r#""excludes": {"arches": ["amd64"]}"#, false),
        (r#""includes": {"minKernel": "5.4"}"#, true),
        (r#""includes": {"minKernel": "5.10"}"#, false),
        (r#""excludes": {"minKernel": "5.4"}"#, false),
    ];
    for (circumstances, is_there) in cases {
        let program = compile(&rule(circumstances), &target);
        assert_eq!(ask(&program, Abi::X86_64, "read", &[]) == ALLOW, is_there, "{circumstances}");
    }
}
