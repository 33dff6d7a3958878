//! A policy document, read once and then asked often.

use std::fmt;

use serde_json::{Map, Value};

use super::Decision;
use super::condition::{self, Condition};
use super::pattern::Pattern;
use super::principal::Named;
use super::request::Request;

/// A document longer than this is not read. The longest that AWS itself takes anywhere is 20 KiB.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Why a document is no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub(super) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// A policy.
#[derive(Debug, Clone, Default)]
pub struct Policy(Vec<Statement>);

#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    /// `None` in identity policies, which say nothing of principals.
    principal: Option<Either<Named>>,
    actions: Either<Vec<Pattern>>,
    resources: Either<Vec<Pattern>>,
    conditions: Vec<Condition>,
}

/// A member, or its opposite: `Action`, `NotAction`.
#[derive(Debug, Clone)]
enum Either<T> {
    Is(T),
    Not(T),
}

impl Policy {
    /// Reads a document from its text.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Malformed("the policy is too long"));
        }
        let document: Value = serde_json::from_str(text).map_err(|_| Malformed("the policy is not JSON"))?;
        Self::of(&document)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn of(document: &Value) -> Result<Self, Malformed> {
        let document = document.as_object().ok_or(Malformed("the policy is not an object"))?;
        // The older version of the language has no variables.
        let variables = match document.get("Version").map(Value::as_str) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(_) => return Err(Malformed("Version is not one of IAM's")),
        };
        let statements = document.get("Statement").ok_or(Malformed("Statement is missing"))?;
        let statements = match statements {
            Value::Array(statements) => statements.iter().collect(),
            one => vec![one],
        };
        let statements = statements.into_iter().map(|statement| Statement::of(statement, variables));
        Ok(Self(statements.collect::<Result<_, _>>()?))
    }

    /// What the policy says of a request: one denial outweighs everything.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let mut decision = Decision::Neither;
        for statement in self.0.iter().filter(|statement| statement.is_about(request)) {
            if !statement.allows {
                return Decision::ExplicitDeny;
            }
            decision = Decision::Allow;
        }
        decision
    }
}

impl Statement {
    fn of(statement: &Value, variables: bool) -> Result<Self, Malformed> {
        let members = statement.as_object().ok_or(Malformed("a statement is not an object"))?;
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(Malformed("Effect is neither Allow nor Deny")),
        };
        let principal = either(members, "Principal", "NotPrincipal", Named::parse)?;
        let patterns = |variables| {
            move |value: &Value| {
                let texts = texts(value)?.into_iter();
                Ok(texts.map(|text| Pattern::parse(&text, variables, true)).collect::<Vec<_>>())
            }
        };
        let actions = either(members, "Action", "NotAction", patterns(false))?;
        let resources = either(members, "Resource", "NotResource", patterns(variables))?;
        Ok(Self {
            allows,
            principal,
            actions: actions.ok_or(Malformed("a statement has no Action"))?,
            resources: resources.ok_or(Malformed("a statement has no Resource"))?,
            conditions: members
                .get("Condition")
                .map(|member| condition::parse(member, variables))
                .transpose()?
                .unwrap_or_default(),
        })
    }

    fn is_about(&self, request: &Request<'_>) -> bool {
        let matches = |patterns: &Vec<Pattern>, text: &str, ignore_case: bool| {
            patterns.iter().any(|pattern| pattern.matches(text, request.context, ignore_case))
        };
        self.actions.holds(|patterns| matches(patterns, request.action, true))
            && self.resources.holds(|patterns| matches(patterns, request.resource, false))
            && self
                .principal
                .as_ref()
                .is_none_or(|named| named.holds(|named| named.includes(request.principal)))
            && self.conditions.iter().all(|condition| condition.holds(request.context))
    }
}

impl<T> Either<T> {
    fn holds(&self, is: impl FnOnce(&T) -> bool) -> bool {
        match self {
            Self::Is(it) => is(it),
            Self::Not(it) => !is(it),
        }
    }
}

fn either<T>(
    members: &Map<String, Value>,
    is: &str,
    not: &str,
    read: impl FnOnce(&Value) -> Result<T, Malformed>,
) -> Result<Option<Either<T>>, Malformed> {
    match (members.get(is), members.get(not)) {
        (Some(_), Some(_)) => Err(Malformed("a statement has a member and its opposite")),
        (Some(value), None) => Ok(Some(Either::Is(read(value)?))),
        (None, Some(value)) => Ok(Some(Either::Not(read(value)?))),
        (None, None) => Ok(None),
    }
}

/// One text or a list of texts; numbers and booleans count as texts.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Malformed> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn text(value: &Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(Malformed("a value is neither a text nor a list of texts")),
    }
}
