//! Expressions: conditions, right-hand sides, arguments.

use std::sync::Arc;

use super::Parser;
use crate::ast::{Block, Expr, Node, Operator};
use crate::error::ParseError;
use crate::value::Value;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, ParseError> {
        self.operation(0)
    }

    /// A method's argument. Velocity lets a bare word stand there, which is null.
    pub(super) fn argument(&mut self) -> Result<Expr, ParseError> {
        self.skip_space();
        if let Some(word) = self.bare_word() {
            self.position += word;
            return Ok(Expr::Literal(Value::Null));
        }
        self.expression()
    }

    /// A macro's argument: no operators, for blanks separate arguments.
    pub(super) fn macro_argument(&mut self) -> Result<Expr, ParseError> {
        if let Some(word) = self.bare_word() {
            self.position += word;
            return Ok(Expr::Literal(Value::Null));
        }
        self.primary()
    }

    /// The length of a word here that is neither a literal nor an operator.
    fn bare_word(&self) -> Option<usize> {
        let length = super::cursor::identifier_length(self.rest().as_bytes());
        let word = &self.rest()[..length];
        (length > 0 && !matches!(word, "true" | "false" | "null" | "not")).then_some(length)
    }

    /// An expression of operators that bind tighter than `rank`.
    fn operation(&mut self, rank: u8) -> Result<Expr, ParseError> {
        self.enter()?;
        let mut left = self.unary()?;
        loop {
            let before = self.position;
            self.skip_space();
            match self.operator() {
                Some(operator) if operator.rank() > rank => {
                    let right = self.operation(operator.rank())?;
                    left = Expr::Binary(Box::new((left, operator, right)));
                }
                _ => {
                    self.position = before;
                    break;
                }
            }
        }
        self.leave();
        Ok(left)
    }

    fn operator(&mut self) -> Option<Operator> {
        const SIGNS: [(&str, Operator); 13] = [
            ("||", Operator::Or),
            ("&&", Operator::And),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("+", Operator::Add),
            ("-", Operator::Subtract),
            ("*", Operator::Multiply),
            ("/", Operator::Divide),
            ("%", Operator::Remainder),
        ];
        const WORDS: [(&str, Operator); 8] = [
            ("or", Operator::Or),
            ("and", Operator::And),
            ("eq", Operator::Equal),
            ("ne", Operator::NotEqual),
            ("le", Operator::LessOrEqual),
            ("ge", Operator::GreaterOrEqual),
            ("lt", Operator::Less),
            ("gt", Operator::Greater),
        ];
        if self.peek()?.is_ascii_alphabetic() {
            return WORDS.iter().find(|(word, _)| self.take_word(word)).map(|(_, operator)| *operator);
        }
        SIGNS.iter().find(|(sign, _)| self.take(sign)).map(|(_, operator)| *operator)
    }

    fn unary(&mut self) -> Result<Expr, ParseError> {
        self.skip_space();
        if (self.peek() == Some(b'!') && self.take("!")) || self.take_word("not") {
            self.enter()?;
            let inner = self.unary()?;
            self.leave();
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        self.skip_space();
        match self.peek() {
            Some(b'$') => self.reference_expression(),
            Some(b'"') => self.double_quoted(),
            Some(b'\'') => self.single_quoted(),
            Some(b'(') => self.parenthesised(),
            Some(b'[') => self.list_or_range(),
            Some(b'{') => self.map(),
            Some(b'0'..=b'9' | b'.') => self.number(),
            Some(b'-') if self.peek_at(1).is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') => {
                self.number()
            }
            Some(b'-') => self.negation(),
            _ => self.word_literal(),
        }
    }

    fn word_literal(&mut self) -> Result<Expr, ParseError> {
        let value = if self.take_word("true") {
            Value::Bool(true)
        } else if self.take_word("false") {
            Value::Bool(false)
        } else if self.take_word("null") {
            Value::Null
        } else {
            return Err(self.error("expected a value"));
        };
        Ok(Expr::Literal(value))
    }

    fn reference_expression(&mut self) -> Result<Expr, ParseError> {
        let reference = self.reference()?.ok_or_else(|| self.error("expected a name after $"))?;
        Ok(Expr::Reference(Box::new(reference)))
    }

    /// `-$a`, which Velocity 1.7 has no way to write.
    fn negation(&mut self) -> Result<Expr, ParseError> {
        self.enter()?;
        self.position += 1;
        let inner = self.primary()?;
        self.leave();
        Ok(Expr::Binary(Box::new((Expr::Literal(Value::Int(0)), Operator::Subtract, inner))))
    }

    fn parenthesised(&mut self) -> Result<Expr, ParseError> {
        self.position += 1;
        let inner = self.expression()?;
        self.skip_space();
        self.expect(")")?;
        Ok(inner)
    }

    fn list_or_range(&mut self) -> Result<Expr, ParseError> {
        self.position += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(Expr::List(items));
        }
        loop {
            items.push(self.expression()?);
            self.skip_space();
            if self.take("]") {
                return Ok(Expr::List(items));
            }
            if items.len() == 1 && self.take("..") {
                return self.range_from(items.swap_remove(0));
            }
            self.expect(",")?;
        }
    }

    fn range_from(&mut self, first: Expr) -> Result<Expr, ParseError> {
        let last = self.expression()?;
        self.skip_space();
        self.expect("]")?;
        Ok(Expr::Range(Box::new((first, last))))
    }

    fn map(&mut self) -> Result<Expr, ParseError> {
        self.position += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.take("}") {
            return Ok(Expr::Map(entries));
        }
        loop {
            let key = self.expression()?;
            self.skip_space();
            self.expect(":")?;
            entries.push((key, self.expression()?));
            self.skip_space();
            if self.take("}") {
                return Ok(Expr::Map(entries));
            }
            self.expect(",")?;
        }
    }

    /// Digits, with a fraction or an exponent if it is one. `1..3` is no fraction but a range.
    fn number(&mut self) -> Result<Expr, ParseError> {
        let start = self.position;
        self.take("-");
        self.skip_digits();
        let mut is_integer = true;
        if self.peek() == Some(b'.') && self.peek_at(1) != Some(b'.') {
            is_integer = false;
            self.position += 1;
            self.skip_digits();
        }
        let sign = usize::from(matches!(self.peek_at(1), Some(b'+' | b'-')));
        if matches!(self.peek(), Some(b'e' | b'E'))
            && self.peek_at(1 + sign).is_some_and(|byte| byte.is_ascii_digit())
        {
            is_integer = false;
            self.position += 1 + sign;
            self.skip_digits();
        }
        let text = &self.source[start..self.position];
        crate::number::parse(text, is_integer)
            .map(Expr::Literal)
            .ok_or_else(|| self.error_at(start, format!("'{text}' is no number")))
    }

    fn skip_digits(&mut self) {
        self.position += self.rest().bytes().take_while(u8::is_ascii_digit).count();
    }

    fn single_quoted(&mut self) -> Result<Expr, ParseError> {
        let content = self.quoted('\'')?;
        Ok(Expr::Literal(Value::str(content.replace("''", "'"))))
    }

    fn double_quoted(&mut self) -> Result<Expr, ParseError> {
        let at = self.position;
        let content = self.quoted('"')?;
        let content = unicode_escapes(&content.replace("\"\"", "\""));
        if !content.contains(['$', '#']) {
            return Ok(Expr::Literal(Value::Str(content.into())));
        }
        let mut block = self.interpolation(&content, at)?;
        Ok(match only_text(&mut block) {
            Some(text) => Expr::Literal(Value::Str(text)),
            None => Expr::Interpolated(block),
        })
    }

    /// What stands between two quotes; a quote inside is doubled.
    fn quoted(&mut self, quote: char) -> Result<&str, ParseError> {
        let start = self.position + 1;
        let mut end = start;
        loop {
            let length = self.source[end..].find(quote).ok_or_else(|| self.error("a string does not end"))?;
            end += length + 1;
            if !self.source[end..].starts_with(quote) {
                self.position = end;
                return Ok(&self.source[start..end - 1]);
            }
            end += 1;
        }
    }
}

fn only_text(block: &mut Block) -> Option<Arc<str>> {
    match block.as_slice() {
        [] => Some("".into()),
        [Node::Text(text)] => Some((&**text).into()),
        _ => None,
    }
}

/// Velocity reads `\uXXXX` in double quotes, and no other escape.
fn unicode_escapes(content: &str) -> String {
    let mut units = Vec::new();
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find("\\u") {
        let Some(unit) = rest.get(at + 2..at + 6).and_then(hex_unit) else {
            flush_units(&mut units, &mut out);
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        if at > 0 {
            flush_units(&mut units, &mut out);
            out.push_str(&rest[..at]);
        }
        units.push(unit);
        rest = &rest[at + 6..];
    }
    flush_units(&mut units, &mut out);
    out.push_str(rest);
    out
}

fn hex_unit(digits: &str) -> Option<u16> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u16::from_str_radix(digits, 16).ok() } else { None }
}

fn flush_units(units: &mut Vec<u16>, out: &mut String) {
    out.push_str(&String::from_utf16_lossy(units));
    units.clear();
}
