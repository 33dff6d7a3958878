//! How the AWS CLI spells operations and members: kebab case by botocore's `xform_name`, and three renamed options.

/// `GetStage` → `get-stage`, `restApiId` → `rest-api-id`, `securityARNs` → `security-arns`.
pub fn kebab(name: &str) -> String {
    let (head, plural) = split_plural_acronym(name);
    let mut words = split_words(head);
    if let Some(plural) = plural {
        words.push('-');
        words.push_str(plural);
    }
    words.to_ascii_lowercase()
}

/// What the AWS CLI calls a member of an operation's input, without the dashes.
///
/// `--version` would mean the program's version, so members of that name are called `api-version`.
pub fn option(service: &str, operation: &str, member: &str) -> String {
    match (service, operation, member) {
        ("apigateway", "CreateRestApi", "version")
        | ("apigatewayv2", "CreateApi" | "UpdateApi", "Version") => "api-version".to_owned(),
        _ => kebab(member),
    }
}

/// Splits a trailing acronym in the plural (`[A-Z]{2,}s$`): `ListARNs` → `List` and `ARNs`.
fn split_plural_acronym(name: &str) -> (&str, Option<&str>) {
    let Some(singular) = name.strip_suffix('s') else { return (name, None) };
    let head = singular.trim_end_matches(|letter: char| letter.is_ascii_uppercase());
    if singular.len() - head.len() < 2 { (name, None) } else { (head, Some(&name[head.len()..])) }
}

/// A dash before every capital that begins a word, and before every capital that follows a small letter or digit.
fn split_words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins_word =
            letter.is_ascii_uppercase() && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let follows_small = letter.is_ascii_uppercase()
            && before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
        if before.is_some() && (begins_word || follows_small) {
            words.push('-');
        }
        words.push(*letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_botocore_splits_them() {
        let cases = [
            ("GetStage", "get-stage"),
            ("restApiId", "rest-api-id"),
            ("IPAddress", "ip-address"),
            ("ListARNs", "list-arns"),
            ("MyARNs", "my-arns"),
            ("arn", "arn"),
            ("x509Certificate", "x509-certificate"),
            ("GetSdkTypes", "get-sdk-types"),
            ("OutputType", "output-type"),
            ("uri", "uri"),
        ];
        for (name, expected) in cases {
            assert_eq!(kebab(name), expected, "{name}");
        }
    }
}
