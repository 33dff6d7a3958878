//! Java's pattern syntax in the words of the `regex` crate.

/// What a pattern without operators matches.
pub(super) fn literal(java: &str) -> Option<String> {
    let mut out = String::with_capacity(java.len());
    let mut characters = java.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                escaped if escaped.is_ascii_alphanumeric() => return None,
                escaped => out.push(escaped),
            },
            '.' | '$' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '?' | '*' | '+' => return None,
            plain => out.push(plain),
        }
    }
    Some(out)
}

/// The same pattern in the `regex` crate's words: Java's `\d`, `\w` and `\s` are ASCII, and some escapes are its own.
pub(super) fn translated(java: &str) -> String {
    const POSIX: [(&str, &str); 8] = [
        ("{Lower}", "a-z"),
        ("{Upper}", "A-Z"),
        ("{Alpha}", "a-zA-Z"),
        ("{Digit}", "0-9"),
        ("{Alnum}", "a-zA-Z0-9"),
        ("{Punct}", "!-/:-@\\[-`{-~"),
        ("{Space}", " \\t\\n\\x0B\\f\\r"),
        ("{XDigit}", "0-9a-fA-F"),
    ];
    let mut out = String::with_capacity(java.len() + 16);
    let mut rest = java;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escaped) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        rest = &rest[escaped.len_utf8()..];
        match escaped {
            'd' => out.push_str("[0-9]"),
            'D' => out.push_str("[^0-9]"),
            'w' => out.push_str("[a-zA-Z_0-9]"),
            'W' => out.push_str("[^a-zA-Z_0-9]"),
            's' => out.push_str("[ \\t\\n\\x0B\\f\\r]"),
            'S' => out.push_str("[^ \\t\\n\\x0B\\f\\r]"),
            'h' => out.push_str("[ \\t\\u{A0}]"),
            'R' => out.push_str("(?:\\r\\n|[\\n\\r\\x0B\\f])"),
            'Z' => out.push_str("\\z"),
            'e' => out.push_str("\\x1B"),
            'p' | 'P' => {
                let negated = if escaped == 'P' { "^" } else { "" };
                let class = POSIX.iter().find(|(name, _)| rest.starts_with(name));
                if let Some((name, class)) = class {
                    out.push_str(&format!("[{negated}{class}]"));
                    rest = &rest[name.len()..];
                } else {
                    out.extend(['\\', escaped]);
                }
            }
            'Q' => {
                let end = rest.find("\\E").unwrap_or(rest.len());
                out.push_str(&regex::escape(&rest[..end]));
                rest = rest[end..].strip_prefix("\\E").unwrap_or_default();
            }
            _ => out.extend(['\\', escaped]),
        }
    }
    out.push_str(rest);
    out
}
