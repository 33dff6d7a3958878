//! How deep an expression can lead: parser and evaluation call themselves for each bracket, and for each operator, as
//! `a.b.c` is `(a.b).c`. Who nests more than anybody can read would end the program without a word.

/// Brackets in one another. Python stops at 1000 calls in one another, of which each bracket takes three or more.
const BRACKETS_MAX: usize = 250;
/// Operators, and comparisons, of a whole expression: all could be in one chain.
const OPERATORS_MAX: usize = 500;

/// # Errors
/// More than that, in Python's words.
pub fn check(expression: &str) -> Result<(), String> {
    let (mut open, mut deepest, mut operators, mut comparisons) = (0_usize, 0, 0, 0);
    // What ends the text that is being passed, and the letter before.
    let (mut end, mut before) = (None, ' ');
    for letter in expression.chars() {
        if let Some(delimiter) = end {
            let is_escaped = before == '\\';
            end = (letter != delimiter || is_escaped).then_some(delimiter);
            before = if is_escaped { ' ' } else { letter };
            continue;
        }
        match letter {
            '`' | '\'' | '"' => end = Some(letter),
            '(' | '{' => open += 1,
            '[' => (open, operators) = (open + 1, operators + 1),
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '!' | '.' => operators += 1,
            '|' | '&' if letter != before => operators += 1,
            '=' | '<' | '>' if !matches!(before, '=' | '<' | '>') => comparisons += 1,
            _ => {}
        }
        (deepest, before) = (deepest.max(open), letter);
    }
    let fits = deepest <= BRACKETS_MAX && operators <= OPERATORS_MAX && comparisons <= OPERATORS_MAX;
    if fits { Ok(()) } else { Err("maximum recursion depth exceeded".to_owned()) }
}

#[cfg(test)]
mod tests {
    use stagedoor_model::Value;

    use super::super::Query;
    use super::*;

    /// Of the thread that reads expressions, the first one of the program.
    const STACK_BYTES: usize = 8 * 1024 * 1024;

    /// Brackets without an end once ended the program: its stack was full.
    #[test]
    fn deep_expressions_are_refused_and_those_at_the_limit_work() {
        let thread =
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn(check_depths).expect("a thread");
        thread.join().expect("each is as it should be");
    }

    fn check_depths() {
        let data: Value = serde_json::from_str(r#"{"a":[1]}"#).expect("valid JSON");
        let deep =
            |count: usize, open: &str, close: &str| format!("{}a{}", open.repeat(count), close.repeat(count));
        for (most, open, close) in [
            (BRACKETS_MAX, "(", ")"),
            (BRACKETS_MAX, "[", "]"),
            (BRACKETS_MAX, "{a:", "}"),
            (BRACKETS_MAX, "[?", "]"),
            (BRACKETS_MAX, "to_array(", ")"),
            (OPERATORS_MAX, "!", ""),
            (OPERATORS_MAX, "", ".a"),
            (OPERATORS_MAX, "", "[]"),
            (OPERATORS_MAX, "", "[0]"),
            (OPERATORS_MAX, "", "|a"),
            (OPERATORS_MAX, "", "||b"),
            (OPERATORS_MAX, "", "&&b"),
            (OPERATORS_MAX, "", "==b"),
        ] {
            let query = Query::parse(&deep(most, open, close));
            let _ = query.unwrap_or_else(|error| panic!("{open}{close}: {error}")).search(&data);
            for count in [most + 1, 60_000] {
                assert!(Query::parse(&deep(count, open, close)).is_err(), "{open}{close}");
            }
            if !open.is_empty() {
                assert!(Query::parse(&open.repeat(60_000)).is_err(), "{open}");
            }
        }
        let calls = vec!["contains(a,'1')"; OPERATORS_MAX];
        assert!(Query::parse(&calls.join("||")).is_ok(), "brackets beside each other");
        // Texts may hold any number of them.
        let text = "(".repeat(60_000);
        for quoted in [format!("'{text}\\''"), format!("`\"{text}\\\"\"`"), format!("\"{text}\\\"\"")] {
            Query::parse(&quoted).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
