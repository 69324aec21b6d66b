//! Profiles as JSON: Docker's format, and `linux.seccomp` of the OCI runtime specification, which share most of it.
//!
//! What Docker passes over is passed over: keys that it does not know, nulls, and comments.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::abi::ArchName;
use crate::profile::{Action, Architectures, Circumstances, Condition, Operator, Profile, Rule};
use crate::program::FilterFlags;

/// The longest text that is read; profiles in the world have some 15 KiB.
const MAX_BYTES: usize = 1 << 20;
/// `EPERM`, which calls fail with unless another error is given.
const EPERM: u16 = 1;
/// The greatest error number that the kernel takes.
const MAX_ERRNO: u16 = 4095;

/// A text is not a profile: the mistake of who wrote it.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The text is longer than a profile can be.
    #[error("the profile is {0} bytes long, more than 1 MiB")]
    TooLong(usize),
    /// The text is no JSON, or has a word where another belongs. The source says where.
    #[error("the profile cannot be read")]
    Json(#[source] serde_json::Error),
    /// Two ways of saying for which architectures the profile speaks.
    #[error("the profile has `architectures` and `archMap`, which exclude each other")]
    ArchitecturesTwice,
    /// Two ways of saying for which calls a rule speaks, or none.
    #[error("`syscalls[{rule}]` must have either `names` or `name`")]
    Names {
        /// The place of the rule in the list, from 0.
        rule: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileDto {
    default_action: ActionName,
    default_errno_ret: Option<Errno>,
    architectures: Option<Vec<ArchName>>,
    arch_map: Option<Vec<ArchitectureDto>>,
    flags: Option<Vec<FlagName>>,
    syscalls: Option<Vec<RuleDto>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchitectureDto {
    architecture: ArchName,
    sub_architectures: Option<Vec<ArchName>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleDto {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: ActionName,
    errno_ret: Option<Errno>,
    args: Option<Vec<ConditionDto>>,
    #[serde(default, deserialize_with = "null_as_default")]
    includes: CircumstancesDto,
    #[serde(default, deserialize_with = "null_as_default")]
    excludes: CircumstancesDto,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
struct ConditionDto {
    index: ArgumentIndex,
    #[serde(default)]
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: OperatorName,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct CircumstancesDto {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<KernelVersion>,
}

#[derive(Deserialize, Clone, Copy)]
enum ActionName {
    #[serde(rename = "SCMP_ACT_KILL", alias = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
}

#[derive(Deserialize, Clone, Copy)]
enum OperatorName {
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    #[serde(rename = "SCMP_CMP_LT")]
    Less,
    #[serde(rename = "SCMP_CMP_LE")]
    LessOrEqual,
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    #[serde(rename = "SCMP_CMP_GE")]
    GreaterOrEqual,
    #[serde(rename = "SCMP_CMP_GT")]
    Greater,
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}

#[derive(Deserialize, Clone, Copy)]
enum FlagName {
    #[serde(rename = "SECCOMP_FILTER_FLAG_TSYNC")]
    Tsync,
    #[serde(rename = "SECCOMP_FILTER_FLAG_LOG")]
    Log,
    #[serde(rename = "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    SpecAllow,
    #[serde(rename = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")]
    WaitKillable,
}

/// A number of an error; anything else is refused where it stands.
#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "u64")]
struct Errno(u16);

impl TryFrom<u64> for Errno {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        let code = u16::try_from(number).ok().filter(|code| *code <= MAX_ERRNO);
        code.map(Self).ok_or_else(|| format!("`{number}` is not an error number, 0 to {MAX_ERRNO}"))
    }
}

/// The place of an argument.
#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "u64")]
struct ArgumentIndex(u8);

impl TryFrom<u64> for ArgumentIndex {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        let index = u8::try_from(number).ok().filter(|index| *index < 6);
        index.map(Self).ok_or_else(|| format!("a call has no argument `{number}`, only 0 to 5"))
    }
}

/// A version of the kernel, of which two numbers count.
#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "String")]
struct KernelVersion(u32, u32);

impl TryFrom<String> for KernelVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = text.split_once('.').and_then(|(major, minor)| {
            let digits = minor.len() - minor.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            Some(Self(major.parse().ok()?, minor.get(..digits)?.parse().ok()?))
        });
        parsed.ok_or_else(|| format!("`{text}` is not a version of the kernel such as `4.8`"))
    }
}

fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a word in it is unknown, or it says one thing in two ways.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        if text.len() > MAX_BYTES {
            return Err(ProfileError::TooLong(text.len()));
        }
        let profile: ProfileDto = serde_json::from_str(text).map_err(ProfileError::Json)?;
        let mut rules = Vec::new();
        for (place, rule) in profile.syscalls.unwrap_or_default().into_iter().enumerate() {
            read_rule(rule, place, &mut rules)?;
        }
        let architectures = read_architectures(profile.architectures, profile.arch_map)?;
        let default = action(profile.default_action, profile.default_errno_ret);
        Ok(Self { default, architectures, flags: read_flags(profile.flags), rules })
    }
}

fn read_architectures(
    listed: Option<Vec<ArchName>>,
    mapped: Option<Vec<ArchitectureDto>>,
) -> Result<Architectures, ProfileError> {
    match (listed.unwrap_or_default(), mapped.unwrap_or_default()) {
        (listed, mapped) if mapped.is_empty() => Ok(Architectures::Listed(listed)),
        (listed, mapped) if listed.is_empty() => {
            let pair =
                |entry: ArchitectureDto| (entry.architecture, entry.sub_architectures.unwrap_or_default());
            Ok(Architectures::Mapped(mapped.into_iter().map(pair).collect()))
        }
        _ => Err(ProfileError::ArchitecturesTwice),
    }
}

/// Without flags, as runc has it: nothing that costs programs speed for the filter's sake.
fn read_flags(names: Option<Vec<FlagName>>) -> FilterFlags {
    let names = names.unwrap_or_default();
    if names.is_empty() {
        return FilterFlags::SPEC_ALLOW;
    }
    names.into_iter().fold(FilterFlags::default(), |flags, name| {
        flags.with(match name {
            FlagName::Tsync => FilterFlags::TSYNC,
            FlagName::Log => FilterFlags::LOG,
            FlagName::SpecAllow => FilterFlags::SPEC_ALLOW,
            FlagName::WaitKillable => FilterFlags::WAIT_KILLABLE,
        })
    })
}

fn action(name: ActionName, errno: Option<Errno>) -> Action {
    let code = errno.map_or(EPERM, |errno| errno.0);
    match name {
        ActionName::KillThread => Action::KillThread,
        ActionName::KillProcess => Action::KillProcess,
        ActionName::Trap => Action::Trap,
        ActionName::Errno => Action::Errno(code),
        ActionName::Trace => Action::Trace(code),
        ActionName::Allow => Action::Allow,
        ActionName::Log => Action::Log,
        ActionName::Notify => Action::Notify,
    }
}

fn read_rule(rule: RuleDto, place: usize, rules: &mut Vec<Rule>) -> Result<(), ProfileError> {
    let names = match (rule.names.unwrap_or_default(), rule.name.filter(|name| !name.is_empty())) {
        (names, None) => names,
        (names, Some(name)) if names.is_empty() => vec![name],
        _ => return Err(ProfileError::Names { rule: place }),
    };
    let rule = Rule {
        names: names.into_iter().map(Cow::Owned).collect(),
        action: action(rule.action, rule.errno_ret),
        conditions: rule.args.unwrap_or_default().into_iter().map(condition).collect(),
        includes: circumstances(rule.includes),
        excludes: circumstances(rule.excludes),
    };
    let mut arguments: Vec<u8> = rule.conditions.iter().map(|condition| condition.argument).collect();
    arguments.sort_unstable();
    if arguments.windows(2).any(|pair| pair.first() == pair.last()) {
        // libseccomp takes one condition for each argument. For more, runc makes a rule of each condition, so that one of
        // them is enough, and Docker's users have come to rely on it.
        rules.extend(rule.conditions.iter().map(|one| Rule { conditions: vec![*one], ..rule.clone() }));
    } else {
        rules.push(rule);
    }
    Ok(())
}

fn condition(condition: ConditionDto) -> Condition {
    let (operator, value) = match condition.op {
        OperatorName::Equal => (Operator::Equal, condition.value),
        OperatorName::NotEqual => (Operator::NotEqual, condition.value),
        OperatorName::Less => (Operator::Less, condition.value),
        OperatorName::LessOrEqual => (Operator::LessOrEqual, condition.value),
        OperatorName::Greater => (Operator::Greater, condition.value),
        OperatorName::GreaterOrEqual => (Operator::GreaterOrEqual, condition.value),
        OperatorName::MaskedEqual => (Operator::MaskedEqual(condition.value), condition.value_two),
    };
    Condition { argument: condition.index.0, operator, value }
}

fn circumstances(circumstances: CircumstancesDto) -> Circumstances {
    let owned = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().map(Cow::Owned).collect();
    Circumstances {
        capabilities: owned(circumstances.caps),
        architectures: owned(circumstances.arches),
        kernel: circumstances.min_kernel.map(|version| (version.0, version.1)),
    }
}
