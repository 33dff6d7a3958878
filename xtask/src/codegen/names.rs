//! How the model's names become Rust names.

/// `restApiId` → `rest_api_id`, `DELETEMe` → `delete_me`, `ivs-realtime` → `ivs_realtime`.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &char) in chars.iter().enumerate() {
        if !char.is_ascii_alphanumeric() {
            snake.push('_');
            continue;
        }
        let after_lower = at > 0 && (chars[at - 1].is_ascii_lowercase() || chars[at - 1].is_ascii_digit());
        let ends_acronym = at > 0
            && chars[at - 1].is_ascii_uppercase()
            && chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        // Plurals of acronyms stay one word: `providerARNs` → `provider_arns`.
        let plural =
            chars.get(at + 1) == Some(&'s') && chars.get(at + 2).is_none_or(char::is_ascii_uppercase);
        if char.is_ascii_uppercase() && (after_lower || ends_acronym && !plural) {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

/// A member's field name; Rust's keywords get their raw form.
pub fn field(name: &str) -> String {
    match snake(name) {
        word if matches!(word.as_str(), "type" | "match" | "ref" | "move" | "use") => format!("r#{word}"),
        word => word,
    }
}

/// `HTTP_PROXY` → `HttpProxy`, `0.5` → `V0_5`, `TLS_1_2` → `Tls1_2`, `ipv4` → `Ipv4`.
pub fn variant(value: &str) -> String {
    let mut variant = String::new();
    for word in value.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let starts_digit = word.starts_with(|char: char| char.is_ascii_digit());
        if starts_digit && variant.is_empty() {
            variant.push('V');
        } else if starts_digit && variant.ends_with(|char: char| char.is_ascii_digit()) {
            variant.push('_');
        }
        let all_upper = !word.chars().any(|char| char.is_ascii_lowercase());
        let (first, rest) = word.split_at(1);
        variant.push_str(&first.to_ascii_uppercase());
        variant.push_str(&if all_upper { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    // `Self` is the one word that cannot name a variant.
    if variant == "Self" { "Own".to_owned() } else { variant }
}

/// `__listOfApi` → `LIST_OF_API`; the name of a table's `static`.
pub fn constant(name: &str) -> String {
    snake(name.trim_start_matches('_')).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (from, to) in [
            ("restApiId", "rest_api_id"),
            ("ApiId", "api_id"),
            ("providerARNs", "provider_arns"),
            ("recordingS3BucketName", "recording_s3_bucket_name"),
            ("ivs-realtime", "ivs_realtime"),
            ("cognitoARN", "cognito_arn"),
        ] {
            assert_eq!(snake(from), to);
        }
        for (from, to) in
            [("HTTP_PROXY", "HttpProxy"), ("0.5", "V0_5"), ("TLS_1_2", "Tls1_2"), ("add", "Add")]
        {
            assert_eq!(variant(from), to);
        }
    }
}
