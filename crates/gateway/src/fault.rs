//! Everything that can end a request early: AWS's gateway responses, turned into bytes in one place.
//!
//! REST APIs and HTTP APIs answer the same fault with different status codes and words.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::authorize::Denial;
use crate::body::{self, Body};

/// Why the gateway answers by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// No such API, stage or deployment, or its default address is switched off.
    #[error("no deployed stage at this address")]
    NoStage,
    /// No method or route for this path and verb.
    #[error("no route")]
    NoRoute,
    /// As [`Self::NoRoute`], asked with an `Authorization` header that is no signature. Holds AWS's whole text.
    #[error("no route, and no signature: {0}")]
    IncompleteSignature(String),
    /// A body that an integration needs to read is not what it takes.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// A request whose body, or what its template makes of it, is no JSON where a function needs it.
    #[error("could not parse the event into JSON: {0}")]
    InvalidJson(String),
    /// A parameter is mapped from a body that is no JSON.
    #[error("invalid JSON in request body")]
    InvalidJsonBody,
    /// A validator asks for parameters that are missing; holds their names.
    #[error("missing required request parameters: [{0}]")]
    MissingParameters(String),
    /// A validator's model does not take the body; holds the type of its model and what is wrong.
    #[error("invalid request body: {why}")]
    InvalidBody { media_type: String, why: String },
    /// A method that requires an API key was asked without one that opens the stage.
    #[error("no valid API key")]
    InvalidApiKey,
    /// A bucket is empty.
    #[error("too many requests")]
    Throttled,
    /// A usage plan's quota is used up.
    #[error("quota exceeded")]
    QuotaExceeded,
    /// The query has letters that must be percent-encoded.
    #[error("the query is not percent-encoded")]
    BadQuery,
    #[error("request body too long")]
    RequestTooLarge,
    #[error("request line and headers too long")]
    HeadersTooLarge,
    /// The client does not send its request's body in time.
    #[error("request body too slow")]
    RequestTimeout,
    /// There is no memory left for the request's body.
    #[error("no room for the request body")]
    NoRoom,
    /// The request's body broke off or is unreadable.
    #[error("request body unreadable")]
    RequestUnreadable,
    /// What was configured cannot work; holds AWS's words for the execution log.
    #[error("execution failed due to configuration error: {0}")]
    Configuration(Cow<'static, str>),
    /// What was configured is valid, but this version cannot do it; the client is told so.
    #[error("not served by this version: {0}")]
    NotServed(&'static str),
    /// The backend answered something that cannot be passed on.
    #[error("integration failed: {0}")]
    IntegrationFailure(&'static str),
    /// The function failed, or returned what no answer can be made of.
    #[error("function failed: {0}")]
    FunctionFailure(Cow<'static, str>),
    /// As many invocations of the function are under way as there may be.
    #[error("Lambda invocation failed with status: 429")]
    FunctionThrottled,
    /// The backend cannot be reached, or hung up.
    #[error("backend unreachable: {0}")]
    Unreachable(String),
    #[error("the integration took longer than its timeout")]
    IntegrationTimeout,
    /// The caller may not pass.
    #[error("{0}")]
    Denied(Denial),
}

/// The name of the exception, on answers of REST APIs.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl GatewayFault {
    /// Whether the client's request is to blame, not what was configured or the backend.
    pub(crate) fn is_the_clients(&self) -> bool {
        self.rest().0.is_client_error()
    }

    /// The answer of a REST API; the ids are added to it as to any other.
    pub(crate) fn rest_response(&self) -> Response<Body> {
        if let Self::Denied(denial) = self {
            return denied(denial);
        }
        let (status, error_type, message) = self.rest();
        // Recorded: answers of 500 and above have a blank after the colon, the others do not.
        let blank = if status.is_server_error() { " " } else { "" };
        let body = format!("{{\"message\":{blank}{}}}", json_string(&message));
        let mut response = respond(status, body);
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error_type));
        response
    }

    /// The answer of an HTTP API.
    pub(crate) fn http_response(&self) -> Response<Body> {
        let (status, message) = self.http();
        let mut response = respond(status, format!("{{\"message\":{}}}", json_string(&message)));
        if let Self::Denied(denial) = self {
            challenge(denial, response.headers_mut());
        }
        response
    }

    /// The gateway response that a deployment may have customised; `None` where none can be.
    pub(crate) fn response_type(&self) -> Option<&'static str> {
        Some(match self {
            // No deployment is known, or AWS lets none say anything else.
            Self::NoStage
            | Self::BadQuery
            | Self::RequestTooLarge
            | Self::HeadersTooLarge
            | Self::RequestTimeout
            | Self::NoRoom => {
                return None;
            }
            Self::NoRoute | Self::IncompleteSignature(_) => "MISSING_AUTHENTICATION_TOKEN",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::InvalidJson(_)
            | Self::InvalidJsonBody
            | Self::InvalidBody { .. }
            | Self::RequestUnreadable => "BAD_REQUEST_BODY",
            Self::MissingParameters(_) => "BAD_REQUEST_PARAMETERS",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::Throttled => "THROTTLED",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Configuration(_) | Self::NotServed(_) => "API_CONFIGURATION_ERROR",
            Self::IntegrationFailure(_)
            | Self::FunctionFailure(_)
            | Self::FunctionThrottled
            | Self::Unreachable(_) => "INTEGRATION_FAILURE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::Denied(denial) => {
                return Some(denial.rest().response_type).filter(|name| !name.is_empty());
            }
        })
    }

    /// A member of `$context.error`; `None` if it has no value.
    pub(crate) fn context(&self, name: &str) -> Option<String> {
        match name {
            "message" => Some(self.rest().2.into_owned()),
            "messageString" => Some(self.message_string()),
            "responseType" => self.response_type().map(str::to_owned),
            "validationErrorString" => match self {
                Self::InvalidBody { why, .. } => Some(why.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same of an HTTP API, which has other words.
    pub(crate) fn http_context(&self, name: &str) -> Option<String> {
        match name {
            "message" => Some(self.http().1.into_owned()),
            "messageString" => Some(json_string(&self.http().1)),
            _ => self.context(name),
        }
    }

    /// `$context.error.messageString`: JSON, with null for those who are told nothing.
    fn message_string(&self) -> String {
        match self {
            Self::Denied(denial) => denial.rest().message.map_or_else(|| "null".to_owned(), json_string),
            fault => json_string(&fault.rest().2),
        }
    }

    /// The line of the execution log, in API Gateway's words where they are known; `None` where a step has said all.
    pub(crate) fn execution_log(&self, request_id: &str) -> Option<String> {
        Some(match self {
            Self::Throttled | Self::InvalidApiKey => return None,
            Self::InvalidBody { media_type, why } => {
                format!("Request body does not match model schema for content type {media_type}: {why}")
            }
            Self::Denied(Denial::Unauthorized(_) | Denial::TokenExpired) => {
                format!("Unauthorized request: {request_id}")
            }
            Self::Denied(Denial::AccessDenied(_)) => {
                "The client is not authorized to perform this operation.".to_owned()
            }
            Self::Denied(Denial::Authorizer(_) | Denial::Unreachable(_)) => {
                "Execution failed due to configuration error: Authorizer error".to_owned()
            }
            Self::Configuration(why) => format!("Execution failed due to configuration error: {why}"),
            Self::FunctionFailure(why) => {
                format!("Execution failed due to configuration error: Malformed Lambda proxy response ({why})")
            }
            Self::FunctionThrottled => self.to_string(),
            Self::IntegrationTimeout => "Execution failed due to a timeout error".to_owned(),
            Self::Unreachable(_) => {
                "Execution failed due to configuration error: There was an internal error while executing your \
                 request"
                    .to_owned()
            }
            fault => format!("Execution failed: {fault}"),
        })
    }

    /// Status, exception and text: the defaults of `GetGatewayResponses`, corrected where recordings differ.
    fn rest(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        let (status, error_type, message) = match self {
            Self::NoStage => (StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"),
            Self::NoRoute => {
                (StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token")
            }
            Self::IncompleteSignature(text) => {
                return (StatusCode::FORBIDDEN, "IncompleteSignatureException", Cow::Owned(text.clone()));
            }
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "BadRequestException", "Unsupported Media Type")
            }
            Self::InvalidJson(why) => {
                return (StatusCode::BAD_REQUEST, "BadRequestException", invalid_json(why));
            }
            Self::MissingParameters(names) => {
                let message = format!("Missing required request parameters: [{names}]");
                return (StatusCode::BAD_REQUEST, "BadRequestException", Cow::Owned(message));
            }
            Self::InvalidBody { .. } => {
                (StatusCode::BAD_REQUEST, "BadRequestException", "Invalid request body")
            }
            Self::InvalidJsonBody => {
                (StatusCode::BAD_REQUEST, "BadRequestException", "Invalid JSON in request body")
            }
            Self::FunctionFailure(_) => (StatusCode::BAD_GATEWAY, INTERNAL, "Internal server error"),
            Self::InvalidApiKey => (StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"),
            Self::Throttled => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Too Many Requests")
            }
            Self::QuotaExceeded => {
                (StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", "Limit Exceeded")
            }
            Self::RequestTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", "Request Too Long")
            }
            Self::HeadersTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "BadRequestException",
                "Request Header Fields Too Large",
            ),
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", "Request Timeout")
            }
            Self::NoRoom => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Service Unavailable")
            }
            Self::RequestUnreadable | Self::BadQuery => {
                (StatusCode::BAD_REQUEST, "BadRequestException", "Bad Request")
            }
            Self::NotServed(what) => return (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, not_served(what)),
            // The Lambda service refused: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
            Self::Configuration(_) | Self::IntegrationFailure(_) | Self::FunctionThrottled => {
                (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, "Internal server error")
            }
            Self::Unreachable(_) => {
                (StatusCode::GATEWAY_TIMEOUT, INTERNAL, "Network error communicating with endpoint")
            }
            Self::IntegrationTimeout => (StatusCode::GATEWAY_TIMEOUT, INTERNAL, "Endpoint request timed out"),
            Self::Denied(denial) => {
                let answer = denial.rest();
                let message = answer.message.unwrap_or_default().to_owned();
                return (answer.status, answer.error_type, Cow::Owned(message));
            }
        };
        (status, error_type, Cow::Borrowed(message))
    }

    fn http(&self) -> (StatusCode, Cow<'static, str>) {
        let (status, message) = match self {
            Self::NoStage | Self::NoRoute | Self::IncompleteSignature(_) => {
                (StatusCode::NOT_FOUND, "Not Found")
            }
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            // HTTP APIs have neither API keys nor quotas.
            Self::InvalidApiKey => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::Throttled | Self::QuotaExceeded => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
            Self::InvalidJson(why) => return (StatusCode::BAD_REQUEST, invalid_json(why)),
            Self::InvalidJsonBody => (StatusCode::BAD_REQUEST, "Invalid JSON in request body"),
            Self::MissingParameters(_) | Self::InvalidBody { .. } => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::HeadersTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
            }
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
            Self::RequestUnreadable | Self::BadQuery => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::NotServed(what) => return (StatusCode::INTERNAL_SERVER_ERROR, not_served(what)),
            Self::Configuration(_) | Self::IntegrationFailure(_) | Self::FunctionFailure(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::Unreachable(_) | Self::IntegrationTimeout | Self::FunctionThrottled | Self::NoRoom => {
                (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Self::Denied(denial) => denial.http(),
        };
        (status, Cow::Borrowed(message))
    }
}

const INTERNAL: &str = "InternalServerErrorException";

/// The Lambda service's own words, which its caller passes on.
fn invalid_json(why: &str) -> Cow<'static, str> {
    Cow::Owned(format!("Could not parse request body into json: {why}"))
}

fn not_served(what: &str) -> Cow<'static, str> {
    Cow::Owned(format!("This version of Stagedoor does not serve {what}"))
}

/// What a REST API answers to whom it turns away. Default bodies have no blank, whatever the status.
fn denied(denial: &Denial) -> Response<Body> {
    let answer = denial.rest();
    let message = answer.message.map_or_else(|| "null".to_owned(), json_string);
    let mut response = respond(answer.status, format!("{{\"{}\":{message}}}", answer.key));
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(answer.error_type));
    response
}

/// What an HTTP API adds, and leaves out, when it refuses a token.
fn challenge(denial: &Denial, headers: &mut HeaderMap) {
    let challenge = denial.challenge().and_then(|text| HeaderValue::from_str(text).ok());
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if !denial.has_content_type() {
        headers.remove(header::CONTENT_TYPE);
    }
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn check(response: Response<Body>, status: u16, error_type: Option<&str>, body: &str) {
        assert_eq!(response.status(), status);
        let found = response.headers().get(ERROR_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(found, error_type);
        let bytes = response.into_body().collect().await.expect("a body in memory").to_bytes();
        assert_eq!(bytes, body);
    }

    #[tokio::test]
    async fn rest_apis_answer_as_recorded() {
        use GatewayFault::*;
        let cases = [
            (NoStage, 403, "ForbiddenException", r#"{"message":"Forbidden"}"#),
            (
                NoRoute,
                403,
                "MissingAuthenticationTokenException",
                r#"{"message":"Missing Authentication Token"}"#,
            ),
            (InvalidApiKey, 403, "ForbiddenException", r#"{"message":"Forbidden"}"#),
            (Throttled, 429, "TooManyRequestsException", r#"{"message":"Too Many Requests"}"#),
            (QuotaExceeded, 429, "LimitExceededException", r#"{"message":"Limit Exceeded"}"#),
            (RequestTooLarge, 413, "RequestTooLargeException", r#"{"message":"Request Too Long"}"#),
            (
                Configuration("x".into()),
                500,
                "InternalServerErrorException",
                r#"{"message": "Internal server error"}"#,
            ),
            (
                IntegrationTimeout,
                504,
                "InternalServerErrorException",
                r#"{"message": "Endpoint request timed out"}"#,
            ),
            (
                Unreachable("x".into()),
                504,
                "InternalServerErrorException",
                r#"{"message": "Network error communicating with endpoint"}"#,
            ),
        ];
        for (fault, status, error_type, body) in cases {
            check(fault.rest_response(), status, Some(error_type), body).await;
        }
    }

    #[tokio::test]
    async fn http_apis_answer_in_their_own_words() {
        use GatewayFault::*;
        let cases = [
            (NoStage, 404, r#"{"message":"Not Found"}"#),
            (NoRoute, 404, r#"{"message":"Not Found"}"#),
            (Throttled, 429, r#"{"message":"Too Many Requests"}"#),
            (IntegrationTimeout, 503, r#"{"message":"Service Unavailable"}"#),
            (Unreachable("x".into()), 503, r#"{"message":"Service Unavailable"}"#),
            (Configuration("x".into()), 500, r#"{"message":"Internal Server Error"}"#),
            (RequestTooLarge, 413, r#"{"message":"Request Entity Too Large"}"#),
        ];
        for (fault, status, body) in cases {
            check(fault.http_response(), status, None, body).await;
        }
    }
}
