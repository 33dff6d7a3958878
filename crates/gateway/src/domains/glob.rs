//! Globs of routing rules: `*` stands for any characters, `?` for one. Pure, in time bounded by the product of lengths.

/// Whether a header's value matches; case counts.
pub(super) fn matches(glob: &str, value: &str) -> bool {
    let (glob, value) = (glob.as_bytes(), value.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stands, and how much of the value it has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < value.len() {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == value[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                seen = taken + 1;
            }
        }
    }
    glob[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_values() {
        for (glob, value, expected) in [
            ("alpha", "alpha", true),
            ("alpha", "alphabet", false),
            ("alpha*", "alphabet", true),
            ("*bet", "alphabet", true),
            ("*phab*", "alphabet", true),
            ("a*a*t", "alphabet", true),
            ("a*z", "alphabet", false),
            ("v?", "v2", true),
            ("v?", "v22", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("Alpha", "alpha", false),
        ] {
            assert_eq!(matches(glob, value), expected, "{glob} {value}");
        }
    }
}
