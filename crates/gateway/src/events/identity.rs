//! `requestContext.identity` of events of format 1.0.

use serde_json::{Value, json};

use crate::visit::Visit;

/// Who asks, of requests that nobody has signed.
pub(super) fn of(visit: &Visit) -> Value {
    let known = |name: &str| visit.context(name).filter(|text| !text.is_empty());
    json!({
        "cognitoIdentityPoolId": null,
        "accountId": null,
        "cognitoIdentityId": null,
        "caller": null,
        "sourceIp": known("identity.sourceIp"),
        "principalOrgId": null,
        "accessKey": null,
        "cognitoAuthenticationType": null,
        "cognitoAuthenticationProvider": null,
        "userArn": null,
        "userAgent": known("identity.userAgent"),
        "user": null,
    })
}
