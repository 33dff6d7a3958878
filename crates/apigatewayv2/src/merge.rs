//! How an update changes what is stored: absent members stay, given ones replace, and the empty text resets.
//!
//! Every `Update…` of this service merges. Maps of texts lose a key when it is sent with an empty value; sending
//! an empty map changes nothing.

use std::collections::BTreeMap;

/// Replaces what is stored if anything was given.
pub fn replace<T>(stored: &mut Option<T>, given: Option<T>) {
    if given.is_some() {
        *stored = given;
    }
}

/// As [`replace`], where the empty text means none.
pub fn replace_text(stored: &mut Option<String>, given: Option<String>) {
    if let Some(text) = given {
        *stored = present(Some(text));
    }
}

/// A text that is not empty.
pub fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Adds and replaces entries; those given with an empty text disappear.
pub fn merge_texts(stored: &mut Option<BTreeMap<String, String>>, given: Option<BTreeMap<String, String>>) {
    for (key, value) in given.into_iter().flatten() {
        let entries = stored.get_or_insert_default();
        if value.is_empty() {
            entries.remove(&key);
        } else {
            entries.insert(key, value);
        }
    }
}

/// Adds and replaces entries.
pub fn merge_entries<T>(stored: &mut Option<BTreeMap<String, T>>, given: Option<BTreeMap<String, T>>) {
    for (key, value) in given.into_iter().flatten() {
        stored.get_or_insert_default().insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
        Some(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn texts_are_kept_replaced_and_reset() {
        for (given, expected) in [(None, Some("old")), (Some("new"), Some("new")), (Some(""), None)] {
            let mut stored = Some("old".to_owned());
            replace_text(&mut stored, given.map(str::to_owned));
            assert_eq!(stored.as_deref(), expected, "{given:?}");
        }
    }

    #[test]
    fn an_empty_value_removes_its_key_and_an_empty_map_changes_nothing() {
        let mut stored = map(&[("a", "1"), ("b", "2")]);
        merge_texts(&mut stored, map(&[]));
        assert_eq!(stored, map(&[("a", "1"), ("b", "2")]));
        merge_texts(&mut stored, map(&[("a", ""), ("c", "3")]));
        assert_eq!(stored, map(&[("b", "2"), ("c", "3")]));
    }
}
