//! In what the services differ on the wire, beyond their tables.

use stagedoor_model::{Operation, Service};

use crate::check::Violation;
use crate::fault::Fault;

/// The habits of one service.
#[derive(Debug)]
pub struct Dialect {
    /// Members of an error's body that hold its message.
    pub message_members: &'static [&'static str],
    /// Headers on every answer.
    pub headers: &'static [(&'static str, &'static str)],
    /// Error for a violated constraint.
    pub validation_code: &'static str,
    /// Whether messages write body members as `createRestApiInput.name` instead of `name`.
    pub names_input: bool,
    /// Error for a path that names no operation: code, status, message.
    pub unknown_operation: (&'static str, u16, &'static str),
}

/// `apigateway` and `apigatewaymanagementapi`.
static API_GATEWAY: Dialect = Dialect {
    message_members: &["message"],
    headers: &[],
    validation_code: "ValidationException",
    names_input: true,
    unknown_operation: ("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
};

/// `apigatewayv2`, whose model names no ValidationException.
static API_GATEWAY_V2: Dialect = Dialect {
    message_members: &["message"],
    headers: &[],
    validation_code: "BadRequestException",
    names_input: false,
    unknown_operation: ("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
};

/// `ivs-realtime`. Its model binds these headers to members of some outputs and of every error; the values are
/// those of AWS's examples (`max-age:` with a colon included).
static IVS: Dialect = Dialect {
    message_members: &["exceptionMessage", "message"],
    headers: &[
        ("access-control-allow-origin", "*"),
        (
            "access-control-expose-headers",
            "Access-Control-Allow-Origin,Access-Control-Expose-Headers,Cache-Control,Content-Length,\
             Content-Security-Policy,Content-Type,date,Strict-Transport-Security,x-amz-apigw-id,\
             x-amzn-errormessage,x-amzn-errortype,x-amzn-requestid,x-amzn-trace-id,X-Content-Type-Options,\
             X-Frame-Options",
        ),
        ("cache-control", "no-store, no-cache"),
        ("content-security-policy", "default-src 'self'; upgrade-insecure-requests;"),
        ("strict-transport-security", "max-age:47304000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ],
    validation_code: "ValidationException",
    names_input: false,
    unknown_operation: ("UnknownOperationException", 404, "The requested operation is not recognized"),
};

impl Dialect {
    pub fn of(service: &Service) -> &'static Self {
        match service.name {
            "ivs-realtime" => &IVS,
            "apigatewayv2" => &API_GATEWAY_V2,
            _ => &API_GATEWAY,
        }
    }

    /// All violations in one error, as AWS's request framework reports them.
    pub fn violations(&self, operation: &Operation, violations: &[Violation]) -> Fault {
        let count = violations.len();
        let plural = if count == 1 { "" } else { "s" };
        let texts: Vec<String> = violations.iter().map(|violation| violation.text(operation, self)).collect();
        let message = format!("{count} validation error{plural} detected: {}", texts.join("; "));
        Fault::new(self.validation_code, 400, message)
    }

    pub fn unknown_operation(&self) -> Fault {
        let (code, status, message) = self.unknown_operation;
        Fault::new(code, status, message)
    }
}
