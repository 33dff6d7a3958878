//! Every way to be turned away, in AWS's words. [`crate::fault`] makes answers of them.
//!
//! REST APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>.
//! HTTP APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html>.

use http::StatusCode;
use stagedoor_auth::sigv4::Refusal;

use crate::fault::GatewayFault;

/// Why a request may not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No token, or one that does not hold.
    #[error("unauthorized: {0}")]
    Unauthorized(String),
    /// A token of a user pool whose time is over.
    #[error("the token has expired")]
    TokenExpired,
    /// Known, but not allowed; holds AWS's text.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// A signature of AWS's that is missing or does not hold.
    #[error("signature refused: {0}")]
    Signature(Refusal),
    /// The authorizer failed, or said what cannot be understood; holds what the log tells.
    #[error("authorizer failed: {0}")]
    Authorizer(String),
    /// The authorizer cannot be asked: its keys cannot be fetched, its service cannot be reached.
    #[error("authorizer unreachable: {0}")]
    Unreachable(String),
    /// An HTTP API's token is missing or does not hold. Holds the `www-authenticate` header.
    #[error("unauthorized: {0}")]
    Challenged(String),
    /// An HTTP API's token has none of the scopes. Holds the `www-authenticate` header.
    #[error("no scope: {0}")]
    InsufficientScope(String),
    /// Request line, or the ARN made of it, is too long to decide about.
    #[error("request URI too long")]
    UriTooLong,
}

impl From<Denial> for GatewayFault {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// What a REST API answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RestDenial<'d> {
    pub(crate) status: StatusCode,
    /// `x-amzn-ErrorType`
    pub(crate) error_type: &'static str,
    /// `message` of the body; `None` is null.
    pub(crate) message: Option<&'d str>,
    /// The key of the message in the body. Policies and Lambda authorizers write it with a capital.
    pub(crate) key: &'static str,
    /// The gateway response that a customer may have changed.
    pub(crate) response_type: &'static str,
}

impl Denial {
    /// The answer of a REST API.
    pub(crate) fn rest(&self) -> RestDenial<'_> {
        let answer = |status, error_type, message, response_type| RestDenial {
            status,
            error_type,
            message,
            key: "message",
            response_type,
        };
        let unauthorized = |message| {
            answer(StatusCode::UNAUTHORIZED, "UnauthorizedException", Some(message), "UNAUTHORIZED")
        };
        match self {
            Self::Unauthorized(_) | Self::Challenged(_) | Self::InsufficientScope(_) => {
                unauthorized("Unauthorized")
            }
            Self::TokenExpired => unauthorized("The incoming token has expired"),
            Self::AccessDenied(text) => RestDenial {
                key: "Message",
                ..answer(StatusCode::FORBIDDEN, "AccessDeniedException", Some(text), "ACCESS_DENIED")
            },
            Self::Signature(refusal) => {
                answer(refusal.status(), refusal.code(), Some(refusal.message()), of_refusal(refusal))
            }
            Self::Authorizer(_) => answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "AuthorizerConfigurationException",
                None,
                "AUTHORIZER_CONFIGURATION_ERROR",
            ),
            Self::Unreachable(_) => answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "AuthorizerFailureException",
                None,
                "AUTHORIZER_FAILURE",
            ),
            Self::UriTooLong => {
                answer(StatusCode::URI_TOO_LONG, "RequestTooLongException", Some("Request URI too long"), "")
            }
        }
    }

    /// Status and message of an HTTP API's answer.
    pub(crate) fn http(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized(_) | Self::TokenExpired | Self::Challenged(_) => {
                (StatusCode::UNAUTHORIZED, "Unauthorized")
            }
            Self::AccessDenied(_) | Self::Signature(_) | Self::InsufficientScope(_) => {
                (StatusCode::FORBIDDEN, "Forbidden")
            }
            Self::Authorizer(_) | Self::Unreachable(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::UriTooLong => (StatusCode::URI_TOO_LONG, "Request URI too long"),
        }
    }

    /// `www-authenticate` of an HTTP API's answer.
    pub(crate) fn challenge(&self) -> Option<&str> {
        match self {
            Self::Challenged(challenge) | Self::InsufficientScope(challenge) => Some(challenge),
            _ => None,
        }
    }

    /// Whether the answer is the body's default type even where AWS sends none: HTTP APIs' refusals of tokens have
    /// no `Content-Type`.
    pub(crate) fn has_content_type(&self) -> bool {
        self.challenge().is_none()
    }
}

fn of_refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
        Refusal::ExpiredToken => "EXPIRED_TOKEN",
        Refusal::IncompleteSignature(_) | Refusal::InvalidSignature(_) | Refusal::UnrecognizedClient => {
            "INVALID_SIGNATURE"
        }
    }
}
