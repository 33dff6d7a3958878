//! `AWS_IAM`: whose signature a request bears. What its owner may do is decided elsewhere.

use http::request::Parts;
use jiff::Timestamp;
use stagedoor_auth::sigv4::{self, Expected, Payload};

use super::access_key::AccessKey;
use super::caller::{Authority, Caller, Identity};
use super::denial::Denial;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::shared::Shared;
use crate::visit::Visit;

/// The signing name.
const SERVICE: &str = "execute-api";

/// Verifies the signature, which covers the body: it is read, and put back for whoever needs it next.
///
/// # Errors
/// [`Denial::Signature`]; those of reading the body.
pub(crate) async fn verify<'s>(
    shared: &'s Shared,
    head: &Parts,
    visit: &Visit,
    region: &str,
    sent: &mut Body,
) -> Result<&'s AccessKey, GatewayFault> {
    let bytes = http_proxy::request_body(std::mem::replace(sent, body::empty())).await?;
    *sent = body::full(bytes.clone());
    let request = sigv4::Request {
        method: &head.method,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        host: head.uri.authority().map(|authority| authority.as_str()),
        payload: Payload::Bytes(&bytes),
    };
    let seconds = i64::try_from(visit.time.as_secs()).unwrap_or(i64::MAX);
    let now = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let expected = Expected { service: SERVICE, regions: Some(&[region]), now };
    let keys = &*shared.access_keys;
    let identity = sigv4::verify(&request, &expected, keys)
        .map_err(|refusal| GatewayFault::Denied(Denial::Signature(refusal)))?;
    Ok(keys.get(&identity.access_key_id).expect("a signature was verified with this key"))
}

/// The owner of a key as a caller.
pub(crate) fn caller(key: &AccessKey) -> Caller {
    let id = key.user_id();
    Caller {
        identity: Identity {
            access_key: Some(key.key.access_key_id.clone()),
            account_id: Some(key.key.account.clone()),
            caller: Some(id.clone()),
            user: Some(id),
            user_arn: Some(key.arn()),
            ..Identity::default()
        },
        authority: Authority::Iam,
        ..Caller::default()
    }
}
