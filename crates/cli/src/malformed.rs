//! What is wrong with JSON, as Python's `json` module tells it: the AWS CLI prints its words.

/// What Python would say about `text`; `None` if it would take it.
pub fn complaint(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut reader = Reader { letters: &letters, at: 0, depth: 0 };
    reader.skip_space();
    let read = reader.value().and_then(|()| {
        reader.skip_space();
        if reader.at == letters.len() { Ok(()) } else { Err(("Extra data", reader.at)) }
    });
    let (message, at) = read.err()?;
    let line = letters[..at].iter().filter(|letter| **letter == '\n').count() + 1;
    let begin = letters[..at].iter().rposition(|letter| *letter == '\n').map_or(0, |newline| newline + 1);
    Some(format!("{message}: line {line} column {} (char {at})", at - begin + 1))
}

/// Deeper than Python's own limit.
const DEPTH_MAX: usize = 900;

type Read = Result<(), (&'static str, usize)>;

struct Reader<'t> {
    letters: &'t [char],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Read {
        let begin = self.at;
        self.depth += 1;
        let read = match self.peek() {
            _ if self.depth > DEPTH_MAX => Err(("Expecting value", begin)),
            Some('"') => self.string(),
            Some('{') => self.object(),
            Some('[') => self.array(),
            _ => self.word().or_else(|| self.number()).ok_or(("Expecting value", begin)),
        };
        self.depth -= 1;
        read
    }

    fn word(&mut self) -> Option<()> {
        let words = ["null", "true", "false", "NaN", "Infinity", "-Infinity"];
        let rest = &self.letters[self.at..];
        let found = words.iter().find(|word| rest.iter().copied().take(word.len()).eq(word.chars()))?;
        self.at += found.len();
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let mut end = self.at + usize::from(self.peek() == Some('-'));
        let digits =
            |from: usize| self.letters[from..].iter().take_while(|letter| letter.is_ascii_digit()).count();
        end += match self.letters.get(end)? {
            '0' => 1,
            '1'..='9' => digits(end),
            _ => return None,
        };
        if self.letters.get(end) == Some(&'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if matches!(self.letters.get(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.letters.get(end + 1), Some('+' | '-')));
            let count = if end + 1 + sign <= self.letters.len() { digits(end + 1 + sign) } else { 0 };
            if count > 0 {
                end += 1 + sign + count;
            }
        }
        self.at = end;
        Some(())
    }

    fn string(&mut self) -> Read {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(("Unterminated string starting at", begin)),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape(begin)?,
                Some(letter) if letter < ' ' => return Err(("Invalid control character at", self.at)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, begin: usize) -> Read {
        match self.letters.get(self.at + 1) {
            None => Err(("Unterminated string starting at", begin)),
            Some('u') => {
                let digits = self.letters.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(char::is_ascii_hexdigit)) {
                    return Err(("Invalid \\uXXXX escape", self.at + 1));
                }
                self.at += 6;
                Ok(())
            }
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.at += 2;
                Ok(())
            }
            Some(_) => Err(("Invalid \\escape", self.at)),
        }
    }

    fn object(&mut self) -> Read {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err(("Expecting property name enclosed in double quotes", self.at));
            }
            self.string()?;
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.skip_space();
            self.value()?;
            if self.ends_with('}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self) -> Read {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            if self.ends_with(']')? {
                return Ok(());
            }
        }
    }

    /// Whether `close` follows; else it must be a comma.
    fn ends_with(&mut self, close: char) -> Result<bool, (&'static str, usize)> {
        self.skip_space();
        match self.peek() {
            Some(letter) if letter == close || letter == ',' => {
                self.at += 1;
                self.skip_space();
                Ok(letter == close)
            }
            _ => Err(("Expecting ',' delimiter", self.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python 3.11 says.
    #[test]
    fn complaints_are_those_of_python() {
        let cases = [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("nothing", "Expecting value: line 1 column 1 (char 0)"),
            ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("{a: 1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            ("{\"a\": ", "Expecting value: line 1 column 7 (char 6)"),
            ("{\n \"a\": 1\n \"b\"}", "Expecting ',' delimiter: line 3 column 2 (char 11)"),
            ("[1, ]", "Expecting value: line 1 column 5 (char 4)"),
            ("[1] 2", "Extra data: line 1 column 5 (char 4)"),
            ("\"ä", "Unterminated string starting at: line 1 column 1 (char 0)"),
            ("\"a\n\"", "Invalid control character at: line 1 column 3 (char 2)"),
            (r#"["\x"]"#, "Invalid \\escape: line 1 column 3 (char 2)"),
            (r#"["\u12"]"#, "Invalid \\uXXXX escape: line 1 column 4 (char 3)"),
            ("-", "Expecting value: line 1 column 1 (char 0)"),
            ("01", "Extra data: line 1 column 2 (char 1)"),
        ];
        for (text, expected) in cases {
            assert_eq!(complaint(text).as_deref(), Some(expected), "{text}");
        }
        for text in [" {\"a\": [1, -2.5e3, NaN, {}, []]} ", "\"\\u00e4\\n\"", "1e5", "1.0"] {
            assert_eq!(complaint(text), None, "{text}");
        }
    }
}
