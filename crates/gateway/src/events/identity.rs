//! `requestContext.identity` of events of format 1.0.

use serde_json::{Value, json};

use crate::authorize::Caller;
use crate::visit::Visit;

/// Who asks. What is not known is null, but for the API key, which is there only if there is one (recorded).
pub(super) fn of(visit: &Visit, caller: &Caller) -> Value {
    let known = |name: &str| visit.context(name).filter(|text| !text.is_empty());
    let identity = &caller.identity;
    let mut told = json!({
        "cognitoIdentityPoolId": null,
        "accountId": identity.account_id,
        "cognitoIdentityId": null,
        "caller": identity.caller,
        "sourceIp": known("identity.sourceIp"),
        "principalOrgId": null,
        "accessKey": identity.access_key,
        "cognitoAuthenticationType": null,
        "cognitoAuthenticationProvider": null,
        "userArn": identity.user_arn,
        "userAgent": known("identity.userAgent"),
        "user": identity.user,
    });
    for (name, value) in [("apiKey", &identity.api_key), ("apiKeyId", &identity.api_key_id)] {
        if value.is_some() {
            told[name] = json!(value);
        }
    }
    if let Some(cert) = &visit.client_cert {
        told["clientCert"] = cert.told();
    }
    told
}
