//! Directives: everything that begins with a hash.

use std::sync::Arc;

use super::cursor::{identifier_length, line_end_length};
use super::{Builder, Ending, Parser};
use crate::ast::{Block, Call, Define, Expr, Foreach, Macro, Node};
use crate::error::ParseError;
use crate::symbols::Symbol;

const DIRECTIVES: [&str; 13] = [
    "set", "if", "elseif", "else", "end", "foreach", "break", "stop", "macro", "define", "evaluate",
    "include", "parse",
];

/// `#name` or `#{name}`: the name, and the bytes of all of it.
struct Head<'s> {
    name: &'s str,
    length: usize,
}

impl<'s> Parser<'s> {
    /// A directive, a comment, or a hash that is text.
    pub(super) fn hash(&mut self, builder: &mut Builder) -> Result<Option<Ending>, ParseError> {
        let rest = self.rest();
        if rest.starts_with("##") {
            self.line_comment();
        } else if let Some(comment) = rest.strip_prefix("#*") {
            self.position += comment.find("*#").map_or(rest.len(), |end| 2 + end + 2);
        } else if let Some(literal) = rest.strip_prefix("#[[") {
            let end = literal.find("]]#").ok_or_else(|| self.error("#[[ without ]]#"))?;
            builder.text.push_str(&literal[..end]);
            self.position += 3 + end + 3;
        } else if rest.starts_with("#@") && identifier_length(&rest.as_bytes()[2..]) > 0 {
            self.block_call(builder)?;
        } else if let Some(head) = self.head() {
            return self.directive(head, builder);
        } else {
            builder.text.push('#');
            self.position += 1;
        }
        Ok(None)
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        self.position += length + line_end_length(&rest.as_bytes()[length..]);
    }

    fn head(&self) -> Option<Head<'s>> {
        let rest = self.rest();
        let braced = rest.starts_with("#{");
        let start = if braced { 2 } else { 1 };
        let length = word_length(&rest.as_bytes()[start..]);
        if length == 0 || (braced && !rest[start + length..].starts_with('}')) {
            return None;
        }
        let end = start + length + usize::from(braced);
        Some(Head { name: &rest[start..start + length], length: end })
    }

    /// The head of a directive here that a backslash would escape.
    pub(super) fn known_directive(&self) -> Option<&'s str> {
        let head = self.head()?;
        let known = DIRECTIVES.contains(&head.name) || self.macros.contains_key(head.name);
        known.then(|| &self.rest()[..head.length])
    }

    fn directive(&mut self, head: Head<'s>, builder: &mut Builder) -> Result<Option<Ending>, ParseError> {
        let at = self.position;
        let after = at + head.length;
        self.position = after;
        match head.name {
            "end" => return Ok(Some(self.line_ending(Ending::End))),
            "else" => return Ok(Some(self.line_ending(Ending::Else))),
            "elseif" => return Ok(Some(Ending::ElseIf)),
            "set" => self.set(at, builder)?,
            "if" => {
                let node = self.if_directive(at)?;
                builder.push(node);
            }
            "foreach" => {
                let node = self.foreach(at)?;
                builder.push(node);
            }
            "break" => {
                let node = self.break_directive()?;
                builder.push(node);
            }
            "stop" => builder.push(Node::Stop),
            "macro" => self.macro_directive(at)?,
            "define" => {
                let node = self.define(at)?;
                builder.push(node);
            }
            "evaluate" => {
                self.open_parenthesis()?;
                let source = self.expression()?;
                self.close_parenthesis()?;
                builder.push(Node::Evaluate(source));
            }
            "include" | "parse" => {
                return Err(
                    self.error_at(at, format!("#{} is not available: templates stand alone", head.name))
                );
            }
            name => self.call(at, name, builder)?,
        }
        Ok(None)
    }

    fn line_ending(&mut self, ending: Ending) -> Ending {
        self.skip_to_next_line();
        ending
    }

    /// The parenthesis that opens a directive's arguments.
    fn open_parenthesis(&mut self) -> Result<(), ParseError> {
        self.skip_space();
        self.expect("(")
    }

    /// The parenthesis that closes a directive's arguments takes the rest of its line along if that is blank.
    fn close_parenthesis(&mut self) -> Result<(), ParseError> {
        self.skip_space();
        self.expect(")")?;
        self.skip_to_next_line();
        Ok(())
    }

    fn condition(&mut self) -> Result<Expr, ParseError> {
        self.open_parenthesis()?;
        let condition = self.expression()?;
        self.close_parenthesis()?;
        Ok(condition)
    }

    /// `#set` without a parenthesis is text.
    fn set(&mut self, at: usize, builder: &mut Builder) -> Result<(), ParseError> {
        self.skip_blanks();
        if !self.take("(") {
            builder.text.push_str(&self.source[at..self.position]);
            return Ok(());
        }
        self.skip_space();
        let target = self.reference()?.ok_or_else(|| self.error("#set needs a reference to assign to"))?;
        self.skip_space();
        self.expect("=")?;
        let value = self.expression()?;
        self.close_parenthesis()?;
        builder.drop_blank_run();
        builder.push(Node::Set { target, value });
        Ok(())
    }

    fn if_directive(&mut self, at: usize) -> Result<Node, ParseError> {
        let mut condition = self.condition()?;
        let mut branches = Vec::new();
        let otherwise = loop {
            let (block, ending) = self.block()?;
            branches.push((condition, block));
            match ending {
                Ending::ElseIf => condition = self.condition()?,
                Ending::Else => break self.block_to_end("#else", at)?,
                Ending::End => break Block::new(),
                Ending::Input => return Err(self.error_at(at, "#if without #end")),
            }
        };
        Ok(Node::If { branches, otherwise })
    }

    fn foreach(&mut self, at: usize) -> Result<Node, ParseError> {
        self.open_parenthesis()?;
        let variable = self.plain_reference("#foreach")?;
        self.skip_space();
        let word = self.identifier().unwrap_or_default();
        if !word.eq_ignore_ascii_case("in") {
            return Err(self.error("expected 'in'"));
        }
        let items = self.expression()?;
        self.close_parenthesis()?;
        let body = self.block_to_end("#foreach", at)?;
        Ok(Node::Foreach(Box::new(Foreach { variable, items, body })))
    }

    fn break_directive(&mut self) -> Result<Node, ParseError> {
        if !self.take("(") {
            return Ok(Node::Break(None));
        }
        self.skip_space();
        let scope = self.reference()?.ok_or_else(|| self.error("#break takes a reference to a loop"))?;
        self.skip_space();
        self.expect(")")?;
        Ok(Node::Break(Some(scope)))
    }

    fn define(&mut self, at: usize) -> Result<Node, ParseError> {
        self.open_parenthesis()?;
        let name = self.plain_reference("#define")?;
        self.close_parenthesis()?;
        let body = self.block_to_end("#define", at)?;
        Ok(Node::Define { name, body: Arc::new(Define { body }) })
    }

    /// A variable's name where nothing else may stand.
    fn plain_reference(&mut self, directive: &str) -> Result<Symbol, ParseError> {
        self.skip_space();
        let at = self.position;
        match self.reference()? {
            // Velocity 1.7 takes the braces for a part of the name, which nobody can then refer to.
            Some(reference)
                if reference.steps.is_empty() && directive != "#foreach" && !reference.is_bare() =>
            {
                Ok(self.symbols.intern(&reference.source))
            }
            Some(reference) if reference.steps.is_empty() => Ok(reference.root),
            _ => Err(self.error_at(at, format!("{directive} needs a variable here"))),
        }
    }

    /// Macros are known from where they are parsed; of two with one name the first stays.
    fn macro_directive(&mut self, at: usize) -> Result<(), ParseError> {
        self.open_parenthesis()?;
        self.skip_space();
        let length = word_length(self.rest().as_bytes());
        let name: Arc<str> = self.rest()[..length].into();
        self.position += length;
        if name.is_empty() {
            return Err(self.error("#macro needs a name"));
        }
        let mut params = Vec::new();
        loop {
            self.skip_separators();
            if self.peek() == Some(b')') {
                break;
            }
            params.push(self.plain_reference("#macro")?);
        }
        self.close_parenthesis()?;
        let body = self.block_to_end("#macro", at)?;
        self.macros.entry(name).or_insert_with(|| Arc::new(Macro { params, body }));
        Ok(())
    }

    fn skip_separators(&mut self) {
        loop {
            self.skip_space();
            if !self.take(",") {
                return;
            }
        }
    }

    /// `#name` or `#name(args)`, whether or not a macro has the name: it may come later.
    fn call(&mut self, at: usize, name: &str, builder: &mut Builder) -> Result<(), ParseError> {
        let after_name = self.position;
        self.skip_blanks();
        let args = if self.peek() == Some(b'(') {
            self.call_arguments()?
        } else {
            self.position = after_name;
            Vec::new()
        };
        let source = self.source[at..self.position].into();
        builder.push(Node::Call(Arc::new(Call { name: name.into(), args, body: None, source })));
        Ok(())
    }

    fn block_call(&mut self, builder: &mut Builder) -> Result<(), ParseError> {
        let at = self.position;
        self.position += 2;
        let length = word_length(self.rest().as_bytes());
        let name = self.rest()[..length].into();
        self.position += length;
        self.skip_blanks();
        let args = if self.peek() == Some(b'(') { self.call_arguments()? } else { Vec::new() };
        let body = Some(Arc::new(Define { body: self.block_to_end("a macro with a body", at)? }));
        let source = self.source[at..self.position].into();
        builder.push(Node::Call(Arc::new(Call { name, args, body, source })));
        Ok(())
    }

    fn call_arguments(&mut self) -> Result<Vec<Expr>, ParseError> {
        self.enter()?;
        self.position += 1;
        let mut args = Vec::new();
        loop {
            self.skip_separators();
            if self.peek() == Some(b')') {
                break;
            }
            args.push(self.macro_argument()?);
        }
        self.close_parenthesis()?;
        self.leave();
        Ok(args)
    }
}

/// The length of a directive's name: unlike a variable's, it has no hyphens.
fn word_length(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return 0;
    }
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}
