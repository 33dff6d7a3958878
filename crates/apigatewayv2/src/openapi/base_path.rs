//! The base path of a definition's server, and what an import makes of it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html>

use serde_json::Value as Json;
use stagedoor_state::{Result, definition};

use crate::messages;

/// What an import does with the base path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasePathMode {
    #[default]
    Ignore,
    /// Every path of the definition begins with it.
    Prepend,
    /// As [`Self::Prepend`], without its first segment.
    Split,
}

impl BasePathMode {
    pub fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("" | "ignore") => Ok(Self::Ignore),
            Some("prepend") => Ok(Self::Prepend),
            Some("split") => Ok(Self::Split),
            Some(other) => Err(messages::base_path_mode_invalid(other)),
        }
    }

    /// What to put before the paths of a definition; empty, or with a slash at its start and none at its end.
    pub fn prefix(self, root: &Json) -> String {
        let path = of(root);
        match self {
            Self::Ignore => String::new(),
            Self::Prepend => path,
            Self::Split => {
                let rest = path.trim_start_matches('/').split_once('/');
                rest.map(|(_, rest)| format!("/{rest}")).unwrap_or_default()
            }
        }
    }
}

/// The path of the first server's address, with its variables replaced by their defaults.
fn of(root: &Json) -> String {
    let server = &root["servers"][0];
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in server["variables"].as_object().into_iter().flatten() {
        let default = variable.get("default").and_then(definition::text).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.as_str(),
    };
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| format!("/{segment}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prefixes() {
        let root = json!({"servers": [{
            "url": "https://{host}/{basePath}/v1",
            "variables": {"basePath": {"default": "/prod"}, "host": {"default": "example.com"}},
        }]});
        for (mode, expected) in [(None, ""), (Some("prepend"), "/prod/v1"), (Some("split"), "/v1")] {
            assert_eq!(BasePathMode::parse(mode).expect("it is one").prefix(&root), expected, "{mode:?}");
        }
        for (url, expected) in
            [("/a", "/a"), ("https://a.example", ""), ("https://a.example/", ""), ("a/b/", "/a/b")]
        {
            let root = json!({"servers": [{"url": url}]});
            assert_eq!(BasePathMode::Prepend.prefix(&root), expected, "{url}");
        }
        assert_eq!(BasePathMode::Split.prefix(&json!({})), "");
        assert_eq!(BasePathMode::parse(Some("other")), Err(messages::base_path_mode_invalid("other")));
    }
}
