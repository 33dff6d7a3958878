//! From text to a path.

use regex::RegexBuilder;

use super::filter::{Comparison, Filter, Literal, Operand};
use super::{Function, Path, PathError, Step};

/// Filters and parentheses inside each other.
const DEPTH_MAX: usize = 16;
/// Bytes a path may have.
const PATH_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

pub(super) fn path(text: &str) -> Result<Path, PathError> {
    let mut reader = Reader { text, position: 0, depth: 0 };
    if text.len() > PATH_BYTES_MAX {
        return Err(reader.error("the path is too long"));
    }
    reader.skip_blanks();
    let mut path = Path { steps: Vec::new(), function: None };
    if !reader.take("$") && reader.peek().is_some_and(|first| first != '.' && first != '[') {
        reader.name(&mut path)?;
    }
    reader.steps(&mut path)?;
    reader.skip_blanks();
    if reader.rest().is_empty() { Ok(path) } else { Err(reader.error("expected '.' or '['")) }
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn steps(&mut self, path: &mut Path) -> Result<(), PathError> {
        loop {
            if path.function.is_some() {
                return Ok(());
            }
            if self.take("..") {
                path.steps.push(Step::Descend);
                if self.peek() != Some('[') {
                    self.name(path)?;
                }
            } else if self.take(".") {
                self.name(path)?;
            } else if self.take("[") {
                let step = self.bracket()?;
                path.steps.push(step);
            } else {
                return Ok(());
            }
        }
    }

    /// What follows a dot: a name, `*`, or a function.
    fn name(&mut self, path: &mut Path) -> Result<(), PathError> {
        if self.take("*") {
            path.steps.push(Step::All);
            return Ok(());
        }
        let rest = self.rest();
        let is_end = |character: char| {
            matches!(character, '.' | '[' | ']' | '(' | ')' | '=' | '!' | '<' | '>' | '&' | '|' | ',')
                || character.is_whitespace()
        };
        let length = rest.find(is_end).unwrap_or(rest.len());
        let name = &rest[..length];
        self.position += length;
        if name.is_empty() {
            return Err(self.error("expected a name"));
        }
        if self.take("()") {
            path.function = Some(function(name).ok_or_else(|| self.error("unknown function"))?);
        } else {
            path.steps.push(Step::Member(name.to_owned()));
        }
        Ok(())
    }

    /// What stands between brackets.
    fn bracket(&mut self) -> Result<Step, PathError> {
        self.skip_blanks();
        let step = match self.peek() {
            Some('*') => {
                self.position += 1;
                Step::All
            }
            Some('?') => {
                self.position += 1;
                self.filter_step()?
            }
            Some('\'' | '"') => self.names()?,
            _ => self.indexes()?,
        };
        self.skip_blanks();
        self.expect("]")?;
        Ok(step)
    }

    fn names(&mut self) -> Result<Step, PathError> {
        let mut names = vec![self.quoted()?];
        while self.take_token(",") {
            self.skip_blanks();
            names.push(self.quoted()?);
        }
        Ok(if names.len() == 1 { Step::Member(names.swap_remove(0)) } else { Step::Members(names) })
    }

    fn indexes(&mut self) -> Result<Step, PathError> {
        let first = self.integer();
        self.skip_blanks();
        if self.take(":") {
            self.skip_blanks();
            return Ok(Step::Slice(first, self.integer()));
        }
        let mut indexes = vec![first.ok_or_else(|| self.error("expected an index"))?];
        while self.take_token(",") {
            self.skip_blanks();
            indexes.push(self.integer().ok_or_else(|| self.error("expected an index"))?);
        }
        Ok(if indexes.len() == 1 { Step::Item(indexes[0]) } else { Step::Items(indexes) })
    }

    fn filter_step(&mut self) -> Result<Step, PathError> {
        self.skip_blanks();
        self.expect("(")?;
        let filter = self.any()?;
        self.skip_blanks();
        self.expect(")")?;
        Ok(Step::Filter(Box::new(filter)))
    }

    /// Parts joined by `||`.
    fn any(&mut self) -> Result<Filter, PathError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        let mut parts = vec![self.all()?];
        while self.take_token("||") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Filter::Or(parts) })
    }

    /// Parts joined by `&&`.
    fn all(&mut self) -> Result<Filter, PathError> {
        let mut parts = vec![self.part()?];
        while self.take_token("&&") {
            parts.push(self.part()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Filter::And(parts) })
    }

    fn part(&mut self) -> Result<Filter, PathError> {
        let mut negated = false;
        while self.take_token("!") {
            negated = !negated;
        }
        self.skip_blanks();
        let part = if self.take("(") {
            let inner = self.any()?;
            self.skip_blanks();
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        Ok(if negated { Filter::Not(Box::new(part)) } else { part })
    }

    fn comparison(&mut self) -> Result<Filter, PathError> {
        let left = self.operand()?;
        if self.take_token("=~") {
            return Ok(Filter::Matches(left, self.pattern()?));
        }
        const SIGNS: [(&str, Comparison); 11] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("in ", Comparison::In),
            ("nin ", Comparison::NotIn),
            ("contains ", Comparison::Contains),
            ("size ", Comparison::Size),
            ("empty ", Comparison::Empty),
        ];
        for (sign, comparison) in SIGNS {
            if self.take_token(sign) {
                return Ok(Filter::Compare(left, comparison, self.operand()?));
            }
        }
        Ok(Filter::Exists(left))
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        self.skip_blanks();
        let is_here = self.take("@");
        if is_here || self.take("$") {
            let mut path = Path { steps: Vec::new(), function: None };
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.error("nested too deeply"));
            }
            self.steps(&mut path)?;
            self.depth -= 1;
            return Ok(if is_here { Operand::Here(path) } else { Operand::Root(path) });
        }
        Ok(Operand::Literal(self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, PathError> {
        self.skip_blanks();
        if matches!(self.peek(), Some('\'' | '"')) {
            return Ok(Literal::Text(self.quoted()?));
        }
        if self.take("[") {
            return self.list();
        }
        let rest = self.rest();
        let is_end =
            |character: char| matches!(character, ')' | ']' | ',' | '&' | '|') || character.is_whitespace();
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let literal = match word {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            _ => Literal::Number(word.parse().map_err(|_| self.error("expected a value"))?),
        };
        self.position += word.len();
        Ok(literal)
    }

    fn list(&mut self) -> Result<Literal, PathError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        let mut items = Vec::new();
        while !self.take_token("]") {
            items.push(self.literal()?);
            self.take_token(",");
        }
        self.depth -= 1;
        Ok(Literal::List(items))
    }

    /// `/pattern/` with an optional `i`. The whole text must match, as in Java.
    fn pattern(&mut self) -> Result<regex::Regex, PathError> {
        self.skip_blanks();
        self.expect("/")?;
        let rest = self.rest();
        let mut end = 0;
        loop {
            end += rest[end..].find('/').ok_or_else(|| self.error("a pattern does not end"))?;
            let escapes = rest[..end].bytes().rev().take_while(|byte| *byte == b'\\').count();
            if escapes % 2 == 0 {
                break;
            }
            end += 1;
        }
        let pattern = rest[..end].replace("\\/", "/");
        self.position += end + 1;
        let ignore_case = self.take("i");
        RegexBuilder::new(&format!("^(?:{pattern})$"))
            .case_insensitive(ignore_case)
            .size_limit(PATTERN_BYTES_MAX)
            .nest_limit(64)
            .build()
            .map_err(|_| self.error("unusable pattern"))
    }

    fn quoted(&mut self) -> Result<String, PathError> {
        let quote = self.peek().filter(|quote| matches!(quote, '\'' | '"'));
        let quote = quote.ok_or_else(|| self.error("expected a quoted name"))?;
        let mut out = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => out.extend(characters.next().map(|(_, escaped)| escaped)),
                _ if character == quote => {
                    self.position += at + 1;
                    return Ok(out);
                }
                _ => out.push(character),
            }
        }
        Err(self.error("a quoted name does not end"))
    }

    fn integer(&mut self) -> Option<i64> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..sign + digits].parse().ok()?;
        self.position += sign + digits;
        Some(number)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.position += text.len();
        }
        found
    }

    /// As `take`, with blanks before it.
    fn take_token(&mut self, text: &str) -> bool {
        self.skip_blanks();
        self.take(text)
    }

    fn expect(&mut self, text: &str) -> Result<(), PathError> {
        if self.take(text) { Ok(()) } else { Err(self.error(&format!("expected '{text}'"))) }
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start().len();
    }

    fn error(&self, message: &str) -> PathError {
        PathError { offset: self.position, message: message.to_owned() }
    }
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "length" | "size" => Function::Length,
        "keys" => Function::Keys,
        "min" => Function::Min,
        "max" => Function::Max,
        "sum" => Function::Sum,
        "avg" => Function::Average,
        _ => return None,
    })
}
