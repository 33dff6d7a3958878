//! The base path of a definition, and what an import makes of it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html>

use serde_json::Value;
use stagedoor_state::{Result, definition};

use super::document::{Document, Format};
use crate::messages;

/// What an import does with the base path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasePath {
    #[default]
    Ignore,
    /// Every path of the definition begins with it.
    Prepend,
    /// As [`Self::Prepend`], without its first segment.
    Split,
}

impl BasePath {
    pub fn parse(text: Option<&str>) -> Result<Self> {
        match text.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "ignore") => Ok(Self::Ignore),
            Some("prepend") => Ok(Self::Prepend),
            Some("split") => Ok(Self::Split),
            Some(_) => Err(messages::bad_option("basepath", "ignore,prepend,split")),
        }
    }

    /// What to put before the paths of a definition; empty, or with a slash at its start and none at its end.
    pub fn prefix(self, document: &Document) -> String {
        let path = match document.format {
            Format::Swagger => document.root["basePath"].as_str().unwrap_or_default().to_owned(),
            Format::OpenApi => server_path(&document.root["servers"][0]),
        };
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let skipped = match self {
            Self::Ignore => return String::new(),
            Self::Prepend => 0,
            Self::Split => 1,
        };
        segments.skip(skipped).map(|segment| format!("/{segment}")).collect()
    }
}

/// The path of a server's address, with its variables replaced by their defaults.
fn server_path(server: &Value) -> String {
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in server["variables"].as_object().into_iter().flatten() {
        let default = variable.get("default").and_then(definition::text).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or(String::new(), |at| rest[at..].to_owned()),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(root: Value) -> Document {
        Document::read(&root.to_string()).expect("a definition")
    }

    #[test]
    fn prefixes() {
        let open_api = document(json!({"openapi": "3.0.1", "servers": [{
            "url": "https://{host}/{basePath}/v1",
            "variables": {"basePath": {"default": "/prod"}, "host": {"default": "example.com"}},
        }]}));
        let swagger = document(json!({"swagger": "2.0", "basePath": "/prod/v1/"}));
        let bare = document(json!({"swagger": "2.0"}));
        for (mode, expected) in [(None, ""), (Some("prepend"), "/prod/v1"), (Some("split"), "/v1")] {
            let mode = BasePath::parse(mode).expect("it is one");
            assert_eq!((mode.prefix(&open_api), mode.prefix(&swagger)), (expected.into(), expected.into()));
            assert_eq!(mode.prefix(&bare), "");
        }
        assert!(BasePath::parse(Some("other")).is_err());
    }
}
