//! What may stand in an HTTP API's CORS configuration. Answering preflights is the data plane's.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use stagedoor_api::apigatewayv2::Cors;
use stagedoor_state::Result;

use crate::messages;

const METHODS: [&str; 8] = ["*", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Refuses what browsers or AWS would.
pub fn check(cors: &Cors) -> Result<()> {
    let origins = cors.allow_origins.as_deref().unwrap_or_default();
    if cors.allow_credentials == Some(true) && origins.iter().any(|origin| origin == "*") {
        return Err(messages::cors_credentials_with_wildcard());
    }
    if let Some(origin) = origins.iter().find(|origin| *origin != "*" && !origin.contains("://")) {
        return Err(messages::cors_origin_invalid(origin));
    }
    let methods = cors.allow_methods.as_deref().unwrap_or_default();
    match methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        Some(method) => Err(messages::cors_method_invalid(method)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(credentials: bool, origins: &[&str], methods: &[&str]) -> Cors {
        let owned = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        Cors {
            allow_credentials: Some(credentials),
            allow_origins: owned(origins),
            allow_methods: owned(methods),
            ..Cors::default()
        }
    }

    #[test]
    fn accepts_and_refuses() {
        for good in [
            cors(false, &["*"], &["*"]),
            cors(true, &["https://example.com", "http://*"], &["GET", "PUT"]),
            Cors::default(),
        ] {
            assert_eq!(check(&good), Ok(()), "{good:?}");
        }
        assert_eq!(check(&cors(true, &["*"], &[])), Err(messages::cors_credentials_with_wildcard()));
        let origin = check(&cors(false, &["example.com"], &[]));
        assert_eq!(origin, Err(messages::cors_origin_invalid("example.com")));
        assert_eq!(check(&cors(false, &["*"], &["TRACE"])), Err(messages::cors_method_invalid("TRACE")));
    }
}
