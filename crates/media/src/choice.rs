//! How clients name the simulcast layer that they want: the JSON of our own message on the events socket and of the
//! layer extension of WHEP, and the `layer` parameter of a subscribing POST.
//!
//! | member | meaning |
//! |---|---|
//! | `layer`, `encodingId` or `rid` | `auto`, `lowest`, `highest`, or the layer's own name |
//! | `maxWidth`, `maxHeight` | the highest layer that is not larger, in pixels |
//!
//! Without any of them the choice is automatic again. Other members (`mediaId`, SVC layers) are ignored: a
//! subscription has one video track, and its codecs have no spatial layers.

use serde_json::Value;
use stagedoor_sfu::{Choice, Size};

/// A layer's name may not be longer than this many bytes.
const NAME_BYTES_MAX: usize = 32;

/// Reads a choice from a JSON object.
pub fn from_json(wish: &Value) -> Result<Choice, &'static str> {
    let wish = wish.as_object().ok_or("a JSON object is needed")?;
    let given = |name| wish.get(name).filter(|value| !value.is_null());
    if let Some(name) = ["layer", "encodingId", "rid"].into_iter().find_map(given) {
        return named(name.as_str().ok_or("the layer's name must be a string")?);
    }
    let side = |name| match given(name) {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|side| u16::try_from(side).ok()) {
            Some(side) => Ok(Some(side)),
            None => Err("maxWidth and maxHeight must be numbers of pixels"),
        },
    };
    match (side("maxWidth")?, side("maxHeight")?) {
        (None, None) => Ok(Choice::Automatic),
        (width, height) => {
            Ok(Choice::Within(Size { width: width.unwrap_or(u16::MAX), height: height.unwrap_or(u16::MAX) }))
        }
    }
}

/// Reads a choice by name.
pub fn named(name: &str) -> Result<Choice, &'static str> {
    match name {
        "auto" => Ok(Choice::Automatic),
        "lowest" => Ok(Choice::Lowest),
        "highest" => Ok(Choice::Highest),
        name if (1..=NAME_BYTES_MAX).contains(&name.len()) => Ok(Choice::Rid(name.into())),
        _ => Err("the layer's name must have 1 to 32 characters"),
    }
}

/// The `layer` parameter of a query; automatic if there is none.
pub fn from_query(query: Option<&str>) -> Result<Choice, &'static str> {
    let parameters = query.unwrap_or_default().split('&');
    parameters.into_iter().find_map(|pair| pair.strip_prefix("layer=")).map_or(Ok(Choice::Automatic), named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn choices() {
        let rid = |name: &str| Ok(Choice::Rid(name.into()));
        let within = |width, height| Ok(Choice::Within(Size { width, height }));
        for (wish, expected) in [
            (json!({}), Ok(Choice::Automatic)),
            (json!({"mediaId": "1", "encodingId": "m"}), rid("m")),
            (json!({"rid": "h", "layer": null}), rid("h")),
            (json!({"layer": "auto", "maxWidth": 1}), Ok(Choice::Automatic)),
            (json!({"layer": "lowest"}), Ok(Choice::Lowest)),
            (json!({"layer": "highest"}), Ok(Choice::Highest)),
            (json!({"maxWidth": 640, "maxHeight": 360}), within(640, 360)),
            (json!({"maxHeight": 360}), within(u16::MAX, 360)),
        ] {
            assert_eq!(from_json(&wish), expected, "{wish}");
        }
        for wrong in [
            json!([]),
            json!({"layer": 1}),
            json!({"layer": ""}),
            json!({"maxWidth": -1}),
            json!({"rid": "x".repeat(33)}),
        ] {
            assert!(from_json(&wrong).is_err(), "{wrong}");
        }
        assert_eq!(from_query(None), Ok(Choice::Automatic));
        assert_eq!(from_query(Some("a=b&layer=highest")), Ok(Choice::Highest));
        assert!(from_query(Some("layer=")).is_err());
    }
}
