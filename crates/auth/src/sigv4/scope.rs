//! The credential scope: for which day, region and service a signature is good.

use std::fmt;

use http::{HeaderMap, header};

use super::parse::{self, Params};
use super::{ALGORITHM, TERMINATOR};

/// What a request says it is signed with and for. Proves nothing until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Id of the access key.
    pub access_key_id: String,
    /// `YYYYMMDD`, in UTC.
    pub date: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// The signing name, such as `apigateway` or `ivs`.
    pub service: String,
}

/// The scope without the key id: `20150830/us-east-1/service/aws4_request`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

impl Scope {
    /// The whole `Credential` parameter.
    pub(super) fn credential(&self) -> String {
        format!("{}/{self}", self.access_key_id)
    }
}

/// Reads the scope that a request claims, without verifying anything; for routing by service.
///
/// `query` is the raw query. `None` if the request bears no readable `AWS4-HMAC-SHA256` credential.
pub fn peek_scope(headers: &HeaderMap, query: &str) -> Option<Scope> {
    let params = match headers.get(header::AUTHORIZATION) {
        Some(value) => Params::from_header(value.to_str().ok()?).ok()?,
        None if parse::is_presigned(query) => Params::from_query(query).ok()?,
        None => return None,
    };
    if params.algorithm != ALGORITHM {
        return None;
    }
    let (scope, terminator) = parse::credential(params.credential.as_deref()?).ok()?;
    (terminator == TERMINATOR).then_some(scope)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn peek(authorization: Option<&str>, query: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).expect("test header"));
        }
        peek_scope(&headers, query).map(|scope| scope.credential())
    }

    #[test]
    fn peeks_at_header_and_query() {
        let plain = "AK/20150830/us-east-1/ivs/aws4_request";
        let encoded = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20150830%2Fus-east-1%2Fivs%2Faws4_request";
        let cases = [
            (Some(format!("AWS4-HMAC-SHA256 Credential={plain}, SignedHeaders=host, Signature=0")), "", true),
            (Some(format!("AWS4-HMAC-SHA256 Credential={plain}")), "", true),
            (Some(format!("AWS4-ECDSA-P256-SHA256 Credential={plain}")), "", false),
            (Some(format!("AWS4-HMAC-SHA256 Credential={plain}/more")), "", false),
            (Some("AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/ivs/aws5_request".into()), "", false),
            (Some("Bearer abc".into()), encoded, false),
            (Some(String::new()), "", false),
            (None, encoded, true),
            (None, "X-Amz-Algorithm=AWS4-HMAC-SHA256", false),
            (None, "a=b", false),
            (None, "", false),
        ];
        for (authorization, query, found) in cases {
            let expected = found.then(|| plain.to_owned());
            assert_eq!(peek(authorization.as_deref(), query), expected, "{authorization:?} {query:?}");
        }
    }
}
