//! IAM policies and what is asked of them: a document, the resource, and the value of every condition key, parted by
//! lines `===`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_auth::policy::{Context, Policy, Principal, Request};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, "\n===\n");
    let [document, resource, value] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let Ok(policy) = Policy::parse(document) else { return };
    let mut context = Context::default();
    for key in ["aws:SourceIp", "aws:UserAgent", "aws:CurrentTime", "aws:EpochTime", "aws:username"] {
        context.add(key, value);
    }
    let principal = Principal { account: "111122223333".into(), arn: resource.to_owned() };
    for principal in [None, Some(&principal)] {
        policy.decide(&Request { action: "execute-api:Invoke", resource, principal, context: &context });
    }
});
