//! Java's view of text: indexes and lengths count UTF-16 units. Text that is all ASCII, as most is, needs no
//! conversion.

use crate::error::RenderError;

pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// `substring`; half a surrogate pair becomes U+FFFD.
pub(super) fn substring(text: &str, from: i32, to: Option<i32>) -> Result<String, RenderError> {
    let length = length(text);
    let end = to.map_or(Some(length), |to| usize::try_from(to).ok());
    let range = usize::try_from(from).ok().zip(end).filter(|(from, to)| from <= to && *to <= length);
    let Some((from, to)) = range else {
        let to = to.map_or(length.to_string(), |to| to.to_string());
        return Err(RenderError::method(format!("begin {from}, end {to}, length {length}")));
    };
    if text.is_ascii() {
        return Ok(text[from..to].to_owned());
    }
    let units: Vec<u16> = text.encode_utf16().skip(from).take(to - from).collect();
    Ok(String::from_utf16_lossy(&units))
}

/// The UTF-16 index of a byte index.
pub(super) fn index_of_byte(text: &str, byte: usize) -> i32 {
    length(&text[..byte]) as i32
}

/// The byte index of a UTF-16 index: the end of the text if beyond it, the start if negative.
pub(super) fn byte_of_index(text: &str, index: i32) -> usize {
    let Ok(index) = usize::try_from(index) else { return 0 };
    if text.is_ascii() {
        return index.min(text.len());
    }
    let mut units = 0;
    for (byte, character) in text.char_indices() {
        if units >= index {
            return byte;
        }
        units += character.len_utf16();
    }
    text.len()
}

/// `String.hashCode`.
pub(super) fn hash_code(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `String.compareTo`: the difference of the first units that differ, or else of the lengths.
pub(super) fn compare(a: &str, b: &str) -> i32 {
    let difference = a.encode_utf16().zip(b.encode_utf16()).find(|(a, b)| a != b);
    match difference {
        Some((a, b)) => i32::from(a) - i32::from(b),
        None => length(a) as i32 - length(b) as i32,
    }
}
