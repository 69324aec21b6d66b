//! Values that are known, come later, or cannot be, and other small shapes.

use longshore_expr::Object;
use longshore_syntax::{SourceFile, Span};
use longshore_workflow::plan::{Deferred, Planned, TokenPermissions};
use serde::Serialize;
use serde_json::Value;

/// A value of the plan: exactly one of `value`, `deferred` and `failed` is there.
#[derive(Debug, Serialize)]
pub(super) struct PlannedDto<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred: Option<DeferredDto<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a str>,
}

impl<'a, T> PlannedDto<'a, T> {
    /// `known` turns the value into what is serialised.
    pub(super) fn new<S>(planned: &'a Planned<S>, known: impl FnOnce(&'a S) -> T) -> Self {
        match planned {
            Planned::Known(value) => Self { value: Some(known(value)), deferred: None, failed: None },
            Planned::Deferred(later) => {
                Self { value: None, deferred: Some(DeferredDto::new(later)), failed: None }
            }
            Planned::Failed(why) => Self { value: None, deferred: None, failed: Some(why) },
        }
    }
}

impl<'a> PlannedDto<'a, &'a str> {
    pub(super) fn text(planned: &'a Planned<String>) -> Self {
        Self::new(planned, String::as_str)
    }
}

/// A value that comes later.
#[derive(Debug, Serialize)]
pub(super) struct DeferredDto<'a> {
    text: &'a str,
    waits_for: &'a [String],
}

impl<'a> DeferredDto<'a> {
    pub(super) fn new(later: &'a Deferred) -> Self {
        Self { text: &later.text, waits_for: &later.waits_for }
    }
}

/// A place in a file, from 1; columns count Unicode scalar values.
#[derive(Debug, Serialize)]
pub(super) struct PlaceDto {
    line: usize,
    column: usize,
}

impl PlaceDto {
    pub(super) fn new(file: &SourceFile, span: Span) -> Self {
        let position = file.position(span.start);
        Self { line: position.line, column: position.column }
    }
}

/// What a token may do: `repository-default` without more, `all` with `access`, `scopes` with `scopes`.
#[derive(Debug, Serialize)]
pub(super) struct PermissionsDto {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<serde_json::Map<String, Value>>,
}

impl PermissionsDto {
    pub(super) fn new(permissions: &TokenPermissions) -> Self {
        match permissions {
            TokenPermissions::RepositoryDefault => {
                Self { kind: "repository-default", access: None, scopes: None }
            }
            TokenPermissions::All(access) => {
                Self { kind: "all", access: Some(access.as_str()), scopes: None }
            }
            TokenPermissions::Scopes(scopes) => {
                let scopes = scopes.iter().map(|(scope, access)| (scope.clone(), access.as_str().into()));
                Self { kind: "scopes", access: None, scopes: Some(scopes.collect()) }
            }
        }
    }
}

/// An object of the expression language as one of JSON.
pub(super) fn object(object: &Object) -> Value {
    Value::Object(object.iter().map(|(key, value)| (key.to_string(), value.into())).collect())
}
