//! What policies say of a request, together: the tables of "How API Gateway resource policies affect authorization
//! workflow", and what a policy can ask of a request.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>

use stagedoor_auth::policy::{Context, Decision, Policy, Principal, Request};

use super::access_key::AccessKey;
use crate::plans::Owner;
use crate::visit::Visit;
use crate::{Config, address};

/// The two actions that stages know.
const INVOKE: &str = "execute-api:Invoke";
const INVALIDATE_CACHE: &str = "execute-api:InvalidateCache";

/// Table A: one side's permission is enough. Identities of the API's own account, and Lambda authorizers.
pub(crate) fn either(one: Decision, other: Decision) -> Decision {
    match (one, other) {
        (Decision::ExplicitDeny, _) | (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
        (Decision::Allow, _) | (_, Decision::Allow) => Decision::Allow,
        (Decision::Neither, Decision::Neither) => Decision::Neither,
    }
}

/// Table B: both sides have to permit. Identities of other accounts, and user pools.
pub(crate) fn both(one: Decision, other: Decision) -> Decision {
    match (one, other) {
        (Decision::ExplicitDeny, _) | (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
        (Decision::Allow, Decision::Allow) => Decision::Allow,
        _ => Decision::Neither,
    }
}

/// A request as policies see it.
pub(crate) struct Asked {
    pub(crate) arn: String,
    principal: Option<Principal>,
    context: Context,
}

impl Asked {
    /// `key` is the signature's; `None` for requests that nobody signed.
    pub(crate) fn new(arn: String, visit: &Visit, config: &Config, key: Option<&AccessKey>) -> Self {
        let mut context = Context::default();
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                context.add(name, value);
            }
        };
        let endpoint = address::vpc_endpoint(visit.host());
        let ip = if endpoint.is_some() { "aws:VpcSourceIp" } else { "aws:SourceIp" };
        add(ip, visit.context("identity.sourceIp").unwrap_or_default().into_owned());
        add("aws:SourceVpce", endpoint.unwrap_or_default());
        add("aws:UserAgent", visit.context("identity.userAgent").unwrap_or_default().into_owned());
        add("aws:Referer", visit.referer().to_owned());
        add("aws:SecureTransport", visit.listener(config).tls.to_string());
        add("aws:EpochTime", visit.time.as_secs().to_string());
        add("aws:CurrentTime", time(visit));
        if let Some(key) = key {
            add("aws:PrincipalArn", key.arn());
            add("aws:PrincipalAccount", key.key.account.clone());
            add("aws:userid", key.user_id());
            add("aws:username", key.user.clone().unwrap_or_default());
            add("aws:PrincipalType", if key.user.is_some() { "User" } else { "Account" }.to_owned());
        }
        Self { arn, principal: key.map(AccessKey::principal), context }
    }

    /// Whether it may be served.
    pub(crate) fn of(&self, policy: &Policy) -> Decision {
        self.to(INVOKE, policy)
    }

    /// Whether it may also empty the stage's cache of what it asks for.
    pub(crate) fn invalidating(&self, policy: &Policy) -> Decision {
        self.to(INVALIDATE_CACHE, policy)
    }

    fn to(&self, action: &str, policy: &Policy) -> Decision {
        policy.decide(&Request {
            action,
            resource: &self.arn,
            principal: self.principal.as_ref(),
            context: &self.context,
        })
    }
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}/{path}` of a request.
pub(crate) fn arn(owner: &Owner, stage: &str, verb: &str, path: &str) -> String {
    let Owner { region, account, api } = owner;
    let path = path.strip_prefix('/').unwrap_or(path);
    format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}/{path}")
}

/// What a REST API tells whom its policies turn away. Only the last digits of the account are shown.
pub(crate) fn refusal(who: &str, arn: &str, decision: Decision) -> String {
    let mut parts: Vec<&str> = arn.splitn(6, ':').collect();
    let masked = parts.get(4).map(|account| {
        let shown = account.get(account.len().saturating_sub(4)..).unwrap_or_default();
        format!("{}{shown}", "*".repeat(account.len() - shown.len()))
    });
    if let (Some(account), Some(masked)) = (parts.get_mut(4), &masked) {
        *account = masked;
    }
    let resource = parts.join(":");
    format!("User: {who} is not authorized to perform: {INVOKE} on resource: {resource}{}", suffix(decision))
}

/// The end of a text that says whether somebody forbade or nobody allowed.
pub(crate) fn suffix(decision: Decision) -> &'static str {
    if decision == Decision::ExplicitDeny { " with an explicit deny" } else { "" }
}

fn time(visit: &Visit) -> String {
    let seconds = i64::try_from(visit.time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        use Decision::{Allow, ExplicitDeny as Deny, Neither};
        for (one, other, table_a, table_b) in [
            (Allow, Allow, Allow, Allow),
            (Allow, Neither, Allow, Neither),
            (Allow, Deny, Deny, Deny),
            (Neither, Allow, Allow, Neither),
            (Neither, Neither, Neither, Neither),
            (Neither, Deny, Deny, Deny),
            (Deny, Allow, Deny, Deny),
            (Deny, Neither, Deny, Deny),
            (Deny, Deny, Deny, Deny),
        ] {
            assert_eq!(either(one, other), table_a, "{one:?} {other:?}");
            assert_eq!(both(one, other), table_b, "{one:?} {other:?}");
        }
    }

    #[test]
    fn accounts_are_masked() {
        let arn = "arn:aws:execute-api:us-east-1:111122223333:abc/dev/GET/a:b";
        assert_eq!(
            refusal("anonymous", arn, Decision::ExplicitDeny),
            "User: anonymous is not authorized to perform: execute-api:Invoke on resource: \
             arn:aws:execute-api:us-east-1:********3333:abc/dev/GET/a:b with an explicit deny"
        );
    }
}
