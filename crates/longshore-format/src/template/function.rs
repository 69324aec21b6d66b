//! The functions that a template may call, and what they take.

use super::{FunctionSet, builtin, compare, docker};
use crate::value::Value;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// Anything, as it is.
    Any,
    /// Anything, as Go's reflection sees it.
    Value,
    /// A text.
    Text,
    /// A whole number.
    Int,
}

impl Parameter {
    /// The name of Go's type.
    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Value => "reflect.Value",
            Self::Text => "string",
            Self::Int => "int",
        }
    }
}

/// What a function gives, or why it cannot.
pub(super) type Called = Result<Value, String>;

/// A function.
pub(super) struct Function {
    name: &'static str,
    /// What it takes.
    pub(super) fixed: &'static [Parameter],
    /// What may follow, any number of times.
    pub(super) rest: Option<Parameter>,
    /// What it does.
    pub(super) call: fn(FunctionSet, &[Value]) -> Called,
}

impl Function {
    /// What the argument of a number must be.
    pub(super) fn parameter(&self, index: usize) -> Parameter {
        self.fixed.get(index).copied().or(self.rest).unwrap_or(Parameter::Any)
    }
}

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Whether there is a function of a name.
pub(super) fn exists(name: &str) -> bool {
    find(name).is_some()
}

use Parameter::{Any, Int, Text, Value as Reflected};

type Call = fn(FunctionSet, &[Value]) -> Called;

const fn fixed(name: &'static str, fixed: &'static [Parameter], call: Call) -> Function {
    Function { name, fixed, rest: None, call }
}

const fn variadic(name: &'static str, fixed: &'static [Parameter], rest: Parameter, call: Call) -> Function {
    Function { name, fixed, rest: Some(rest), call }
}

const FUNCTIONS: &[Function] = &[
    // `and` and `or` end before all arguments are evaluated, so whoever calls does their work.
    variadic("and", &[Reflected], Reflected, |_, _| Ok(Value::Absent)),
    variadic("or", &[Reflected], Reflected, |_, _| Ok(Value::Absent)),
    fixed("not", &[Reflected], |_, values| Ok(Value::Bool(!values.first().is_some_and(Value::is_true)))),
    variadic("call", &[Reflected], Reflected, |_, values| builtin::call(values)),
    variadic("html", &[], Any, |_, values| Ok(builtin::html(values))),
    variadic("index", &[Reflected], Reflected, |_, values| builtin::index(values)),
    variadic("js", &[], Any, |_, values| Ok(builtin::js(values))),
    fixed("len", &[Reflected], |_, values| builtin::len(values)),
    variadic("print", &[], Any, |_, values| Ok(builtin::print(values))),
    variadic("printf", &[Text], Any, |_, values| Ok(builtin::printf(values))),
    variadic("println", &[], Any, |_, values| Ok(builtin::println(values))),
    variadic("slice", &[Reflected], Reflected, |_, values| builtin::slice(values)),
    variadic("urlquery", &[], Any, |_, values| Ok(builtin::urlquery(values))),
    variadic("eq", &[Reflected], Reflected, |_, values| compare::eq(values)),
    fixed("ge", &[Reflected, Reflected], |_, values| compare::ge(values)),
    fixed("gt", &[Reflected, Reflected], |_, values| compare::gt(values)),
    fixed("le", &[Reflected, Reflected], |_, values| compare::le(values)),
    fixed("lt", &[Reflected, Reflected], |_, values| compare::lt(values)),
    fixed("ne", &[Reflected, Reflected], |_, values| compare::ne(values)),
    fixed("join", &[Any, Text], docker::join),
    fixed("json", &[Any], |set, values| Ok(docker::json(set, values))),
    fixed("lower", &[Text], |set, values| Ok(docker::lower(set, values))),
    fixed("pad", &[Text, Int, Int], docker::pad),
    fixed("split", &[Text, Text], |set, values| Ok(docker::split(set, values))),
    fixed("title", &[Text], |set, values| Ok(docker::title(set, values))),
    fixed("truncate", &[Text, Int], docker::truncate),
    fixed("upper", &[Text], |set, values| Ok(docker::upper(set, values))),
];
