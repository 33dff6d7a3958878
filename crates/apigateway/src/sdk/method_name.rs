//! Names of functions in generated clients, as AWS makes them: `GET /pets/{petId}` is `petsPetIdGet`. Pure.

/// The name for a method.
pub fn of(path: &str, verb: &str) -> String {
    let words = path.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name: String = words.map(capitalised).collect();
    if name.is_empty() {
        name.push_str("Root");
    }
    let name = uncapitalised(&name) + &capitalised(&verb.to_ascii_lowercase());
    // A name must not begin with a digit.
    if name.starts_with(|char: char| char.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Whether a text can be the name of a function.
pub fn is_identifier(text: &str) -> bool {
    let good = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '$';
    !text.is_empty()
        && text != "__proto__"
        && text.chars().all(good)
        && !text.starts_with(|char: char| char.is_ascii_digit())
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn uncapitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [
            ("/", "GET", "rootGet"),
            ("/pets", "OPTIONS", "petsOptions"),
            ("/pets/{petId}", "GET", "petsPetIdGet"),
            ("/a-b/c_d/{proxy+}", "POST", "aBCDProxyPost"),
            ("/1st", "GET", "_1stGet"),
        ];
        for (path, verb, expected) in cases {
            assert_eq!(of(path, verb), expected);
        }
    }

    #[test]
    fn identifiers() {
        assert!(is_identifier("listPets") && is_identifier("_$1"));
        for bad in ["", "1a", "a b", "a-b", "ä", "__proto__"] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }
}
