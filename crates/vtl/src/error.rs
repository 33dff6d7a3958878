//! Why a template cannot be used: it does not parse, or a rendering of it failed.

use std::fmt;

/// The template's text is not Velocity. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl ParseError {
    /// An error at a byte offset of `source`.
    pub(crate) fn at(source: &str, offset: usize, message: impl Into<String>) -> ParseError {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ParseError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// A rendering ended without output. API Gateway answers such a request with a 5XX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    pub failure: Failure,
    /// The reference or directive that failed, as written; empty where none is to blame.
    pub place: String,
}

/// What went wrong in a rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// More output than [`crate::Limits::output_bytes_max`].
    OutputTooLong,
    /// More work than [`crate::Limits::steps_max`].
    TooManySteps,
    /// More values than [`crate::Limits::memory_bytes_max`].
    TooMuchMemory,
    /// Macros, blocks or values nested too deeply.
    TooDeep,
    /// The body, or what `$util.parseJson` got, claims to be JSON and is not.
    InvalidJson(String),
    /// A JSONPath that does not parse.
    InvalidPath(String),
    /// A method failed as it would throw in Java: an index out of range, text that is no number, a bad pattern.
    Method(String),
    /// `#evaluate` of something that is not Velocity.
    Evaluate(ParseError),
    /// A parameter was overridden twice, which API Gateway refuses.
    OverriddenTwice(String),
}

impl RenderError {
    pub(crate) fn method(message: impl Into<String>) -> RenderError {
        Failure::Method(message.into()).into()
    }

    /// Notes the place, unless one nearer to the fault is known already.
    pub(crate) fn within(mut self, place: &str) -> RenderError {
        if self.place.is_empty() {
            self.place = place.to_owned();
        }
        self
    }
}

impl From<Failure> for RenderError {
    fn from(failure: Failure) -> RenderError {
        RenderError { failure, place: String::new() }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.failure)?;
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::OutputTooLong => f.write_str("output exceeds its limit"),
            Failure::TooManySteps => f.write_str("the template takes too many steps"),
            Failure::TooMuchMemory => f.write_str("the template's values take too much memory"),
            Failure::TooDeep => f.write_str("nested too deeply"),
            Failure::InvalidJson(what) => write!(f, "invalid JSON: {what}"),
            Failure::InvalidPath(what) => write!(f, "invalid JSONPath: {what}"),
            Failure::Method(what) => f.write_str(what),
            Failure::Evaluate(error) => write!(f, "#evaluate: {error}"),
            Failure::OverriddenTwice(what) => write!(f, "{what} is overridden twice"),
        }
    }
}

impl std::error::Error for RenderError {}
