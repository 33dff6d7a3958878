//! Moving through a template's text, byte by byte. All that has a meaning in Velocity is ASCII, so a position never
//! stops inside a character.

use super::Parser;
use crate::error::ParseError;

impl<'s> Parser<'s> {
    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.position + ahead).copied()
    }

    /// Takes `text` if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.position += text.len();
        }
        found
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), ParseError> {
        if self.take(text) { Ok(()) } else { Err(self.error(format!("expected '{text}'"))) }
    }

    /// Takes `word` if it comes next and no letter or digit follows.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word)
            && !self.peek_at(word.len()).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if found {
            self.position += word.len();
        }
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        self.position += blanks_length(self.rest().as_bytes());
    }

    /// Skips blanks and line ends.
    pub(super) fn skip_space(&mut self) {
        let bytes = self.rest().bytes();
        self.position += bytes.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Skips blanks if a line end follows, and that line end.
    pub(super) fn skip_to_next_line(&mut self) {
        let bytes = self.rest().as_bytes();
        let blanks = blanks_length(bytes);
        let line_end = line_end_length(&bytes[blanks..]);
        if line_end > 0 {
            self.position += blanks + line_end;
        }
    }

    /// Takes a name: a letter or underscore, then letters, digits, underscores and hyphens.
    pub(super) fn identifier(&mut self) -> Option<&'s str> {
        let length = identifier_length(self.rest().as_bytes());
        let name = &self.rest()[..length];
        self.position += length;
        (length > 0).then_some(name)
    }
}

fn blanks_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

pub(super) fn line_end_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The length of the name that `bytes` begins with; 0 if none.
pub(super) fn identifier_length(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return 0;
    }
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count()
}
