//! References: `$a`, `$!a`, `${a}`, `$!{a}`, with properties, method calls and indexes.

use super::Parser;
use super::cursor::identifier_length;
use crate::ast::{Expr, Reference, Step};
use crate::error::ParseError;

impl Parser<'_> {
    /// Whether a reference begins here, so that backslashes before it escape it.
    pub(super) fn at_reference(&self) -> bool {
        self.reference_opening().is_some()
    }

    /// The reference that begins here, if one does.
    pub(super) fn reference(&mut self) -> Result<Option<Reference>, ParseError> {
        let Some(opening) = self.reference_opening() else { return Ok(None) };
        let start = self.position;
        self.position += opening.length;
        let name = self.identifier().unwrap_or_default();
        let root = self.symbols.intern(name);
        let steps = self.steps()?;
        if opening.formal {
            self.expect("}")?;
        }
        let source = self.source[start..self.position].into();
        Ok(Some(Reference { root, steps, quiet: opening.quiet, formal: opening.formal, source }))
    }

    fn reference_opening(&self) -> Option<Opening> {
        let bytes = self.rest().as_bytes();
        if bytes.first() != Some(&b'$') {
            return None;
        }
        let quiet = bytes.get(1) == Some(&b'!');
        let formal = bytes.get(1 + usize::from(quiet)) == Some(&b'{');
        let length = 1 + usize::from(quiet) + usize::from(formal);
        (identifier_length(&bytes[length..]) > 0).then_some(Opening { quiet, formal, length })
    }

    fn steps(&mut self) -> Result<Vec<Step>, ParseError> {
        let mut steps = Vec::new();
        loop {
            match self.peek() {
                Some(b'.') if self.peek_at(1).is_some_and(|byte| byte.is_ascii_alphabetic()) => {
                    self.position += 1;
                    let name = self.identifier().unwrap_or_default();
                    steps.push(self.property_or_method(name)?);
                }
                Some(b'[') => {
                    self.position += 1;
                    steps.push(Step::Index(self.index()?));
                }
                _ => return Ok(steps),
            }
        }
    }

    fn property_or_method(&mut self, name: &str) -> Result<Step, ParseError> {
        if !self.take("(") {
            return Ok(Step::Property(name.into()));
        }
        self.enter()?;
        let args = self.arguments()?;
        self.leave();
        Ok(Step::Method { name: name.into(), args })
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, ParseError> {
        let mut args = Vec::new();
        self.skip_space();
        if self.take(")") {
            return Ok(args);
        }
        loop {
            args.push(self.argument()?);
            self.skip_space();
            if self.take(")") {
                return Ok(args);
            }
            self.expect(",")?;
        }
    }

    fn index(&mut self) -> Result<Expr, ParseError> {
        let index = self.expression()?;
        self.skip_space();
        self.expect("]")?;
        Ok(index)
    }
}

/// How a reference begins.
struct Opening {
    quiet: bool,
    formal: bool,
    /// Bytes before the name.
    length: usize,
}
