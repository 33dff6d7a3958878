//! From text to tree: text between references and directives. References, directives and expressions have files of
//! their own. Follows Apache Velocity 1.7, whose grammar API Gateway shows (hyphens in names, what white space goes).
//!
//! More is accepted than 1.7 does where no 1.7 template changes its meaning: any expression as a method's argument or
//! an index, `null`, `$a -1`, `( )`, an empty list with a space inside.

mod cursor;
mod directive;
mod expression;
mod reference;

use crate::ast::{Block, Macros, Node, Step};
use crate::error::ParseError;
use crate::limits::PARSE_DEPTH_MAX;
use crate::symbols::Symbols;
use crate::template::Dialect;

/// What ended a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Input,
    End,
    Else,
    /// `#elseif`, read up to its condition.
    ElseIf,
}

pub(crate) struct Parser<'s> {
    source: &'s str,
    position: usize,
    depth: usize,
    dialect: Dialect,
    symbols: &'s mut Symbols,
    macros: &'s mut Macros,
}

/// A block under construction: nodes, and text not yet made a node.
#[derive(Default)]
struct Builder {
    nodes: Block,
    text: String,
    /// Where in `text` the run of plain text read last begins.
    run_start: usize,
}

impl<'s> Parser<'s> {
    pub(crate) fn new(
        source: &'s str,
        dialect: Dialect,
        symbols: &'s mut Symbols,
        macros: &'s mut Macros,
    ) -> Parser<'s> {
        Parser { source, position: 0, depth: 0, dialect, symbols, macros }
    }

    /// The whole source.
    pub(crate) fn template(mut self) -> Result<Block, ParseError> {
        self.whole()
    }

    fn whole(&mut self) -> Result<Block, ParseError> {
        let (block, ending) = self.block()?;
        match ending {
            Ending::Input => Ok(block),
            Ending::End | Ending::Else | Ending::ElseIf => {
                Err(self.error("#end, #else or #elseif without a block that it could belong to"))
            }
        }
    }

    /// The content of a string in double quotes, as a template within this one.
    fn interpolation(&mut self, content: &str, at: usize) -> Result<Block, ParseError> {
        let mut inner = Parser {
            source: content,
            position: 0,
            depth: self.depth,
            dialect: self.dialect,
            symbols: &mut *self.symbols,
            macros: &mut *self.macros,
        };
        let parsed = inner.enter().and_then(|()| inner.whole());
        parsed.map_err(|error| self.error_at(at, format!("in a string: {}", error.message)))
    }

    /// A block up to its `#end`.
    fn block_to_end(&mut self, directive: &str, at: usize) -> Result<Block, ParseError> {
        let (block, ending) = self.block()?;
        match ending {
            Ending::End => Ok(block),
            Ending::Input => Err(self.error_at(at, format!("{directive} without #end"))),
            Ending::Else | Ending::ElseIf => Err(self.error(format!("{directive} has no #else"))),
        }
    }

    /// Nodes up to something that ends a block.
    fn block(&mut self) -> Result<(Block, Ending), ParseError> {
        self.enter()?;
        let mut builder = Builder::default();
        let ending = loop {
            builder.run_start = builder.text.len();
            self.plain_text(&mut builder.text);
            match self.peek() {
                None => break Ending::Input,
                Some(b'\\') => self.backslashes(&mut builder)?,
                Some(b'$') => self.dollar(&mut builder, 0)?,
                Some(_) => {
                    if let Some(ending) = self.hash(&mut builder)? {
                        break ending;
                    }
                }
            }
        };
        self.leave();
        builder.flush();
        Ok((builder.nodes, ending))
    }

    /// Takes text in which nothing has a meaning.
    fn plain_text(&mut self, text: &mut String) {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| matches!(byte, b'\\' | b'$' | b'#')).unwrap_or(rest.len());
        text.push_str(&rest[..length]);
        self.position += length;
    }

    /// Backslashes escape a reference or a known directive behind them; elsewhere they are text.
    fn backslashes(&mut self, builder: &mut Builder) -> Result<(), ParseError> {
        let count = self.rest().bytes().take_while(|byte| *byte == b'\\').count();
        self.position += count;
        match self.peek() {
            Some(b'$') if self.at_reference() => self.dollar(builder, count),
            Some(b'#') => {
                let escaped = self.known_directive().map(str::len);
                match escaped {
                    Some(length) if count % 2 == 1 => {
                        builder.repeat('\\', count / 2);
                        builder.text.push_str(&self.source[self.position..self.position + length]);
                        self.position += length;
                    }
                    // Velocity 1.7 halves the backslashes before every directive but this one.
                    Some(_) if !self.rest().starts_with("#set") => builder.repeat('\\', count / 2),
                    _ => builder.repeat('\\', count),
                }
                Ok(())
            }
            _ => {
                builder.repeat('\\', count);
                Ok(())
            }
        }
    }

    /// A reference, or a dollar that is text.
    fn dollar(&mut self, builder: &mut Builder, backslashes: usize) -> Result<(), ParseError> {
        if let Some(reference) = self.reference()? {
            // Behind a property Velocity 1.7 knows no comment: `$a.b## c` prints its hashes.
            let last = reference.steps.iter().rfind(|step| !matches!(step, Step::Index(_)));
            let ends_in_property = !reference.formal && matches!(last, Some(Step::Property(_)));
            builder.push(Node::Print { reference, backslashes });
            if ends_in_property && !self.rest().starts_with("###") && self.take("##") {
                builder.text.push_str("##");
            }
            return Ok(());
        }
        if let Some(length) = self.crossed_out() {
            if self.dialect == Dialect::Velocity {
                builder.text.push_str(&self.rest()[..length].replacen('\\', "", 1));
            }
            self.position += length;
            return Ok(());
        }
        builder.text.push('$');
        self.position += 1;
        Ok(())
    }

    /// The length of `$\!name`: a quiet reference escaped in the middle, of which Velocity makes nothing.
    fn crossed_out(&self) -> Option<usize> {
        let rest = &self.source.as_bytes()[self.position + 1..];
        let backslashes = rest.iter().take_while(|byte| **byte == b'\\').count();
        if backslashes == 0 || rest.get(backslashes) != Some(&b'!') {
            return None;
        }
        let name = cursor::identifier_length(&rest[backslashes + 1..]);
        (name > 0).then_some(1 + backslashes + 1 + name)
    }

    fn enter(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > PARSE_DEPTH_MAX { Err(self.error("nested too deeply")) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.position, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> ParseError {
        ParseError::at(self.source, at, message)
    }
}

impl Builder {
    fn push(&mut self, node: Node) {
        self.flush();
        self.nodes.push(node);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.nodes.push(Node::Text(std::mem::take(&mut self.text).into()));
        }
        self.run_start = 0;
    }

    fn repeat(&mut self, character: char, count: usize) {
        self.text.extend(std::iter::repeat_n(character, count));
    }

    /// Drops the run of plain text read last if it is all blanks. Velocity 1.7 does so before `#set`, and hence only
    /// where the blanks follow a reference, a directive or a comment, or begin the template.
    fn drop_blank_run(&mut self) {
        if self.text[self.run_start..].bytes().all(|byte| matches!(byte, b' ' | b'\t')) {
            self.text.truncate(self.run_start);
        }
    }
}
