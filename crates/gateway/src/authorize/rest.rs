//! Authorization of a REST API's method: its authorizer or signature, together with the API's resource policy.

use std::sync::Arc;

use bytes::Bytes;
use stagedoor_auth::policy::{Decision, Policy};
use tokio::time::Instant;

use super::answer::{Answer, Verdict};
use super::caller::{Authority, Caller, Claims};
use super::denial::Denial;
use super::guard::Guard;
use super::issuer::NoKey;
use super::lambda::{Asked as Answered, Form, LambdaAuthorizer};
use super::permission::{self, Asked};
use super::token::{Dialect, Rejected, TokenAuthorizer};
use super::{signature, source, told};
use crate::body::Body;
use crate::events;
use crate::fault::GatewayFault;
use crate::headers;
use crate::rest::call::Call;
use crate::steps::execution;
use crate::visit::Phase;

/// Longest ARN of a method that is decided about, in bytes: AWS's quota.
const ARN_BYTES_MAX: usize = 1600;

/// Who asks, and whether the policies let them pass.
type Known = (Caller, Result<(), Denial>);

/// Finds out who asks, and whether they may. Also of those who may not, logs and gateway responses are told who they are,
/// and what their authorizer said.
///
/// # Errors
/// [`GatewayFault::Denied`]; those of reading the body, which signatures cover.
pub(crate) async fn check(call: &mut Call<'_>, body: &mut Body) -> Result<(), GatewayFault> {
    let (caller, decision) = known(call, body).await?;
    call.caller = caller;
    Ok(decision?)
}

async fn known(call: &Call<'_>, body: &mut Body) -> Result<Known, GatewayFault> {
    let guard = &call.method.guard;
    let policy = match &call.stage.deployed.policy {
        None => None,
        Some(Ok(policy)) => Some(policy),
        Some(Err(fault)) => return Err(fault.clone()),
    };
    if guard.is_open() && policy.is_none() {
        return Ok((Caller::default(), Ok(())));
    }
    let arn = permission::arn(&call.api.owner, &call.stage.name, call.verb.as_str(), call.path);
    if arn.len() > ARN_BYTES_MAX {
        return Err(Denial::UriTooLong.into());
    }
    match guard {
        Guard::Open => Ok((Caller::default(), must_allow(call, arn, policy))),
        Guard::Iam => signed(call, body, arn, policy).await,
        Guard::Lambda(authorizer) => Ok(asked(call, authorizer, arn, policy).await?),
        Guard::Token(authorizer, scopes) => {
            let caller = bearing(call, authorizer, scopes).await?;
            Ok((caller, must_allow(call, arn, policy)))
        }
        Guard::Refused(fault) => Err(fault.clone()),
    }
}

/// The resource policy, if there is one, has to permit it, and nobody else can.
fn must_allow(call: &Call<'_>, arn: String, policy: Option<&Policy>) -> Result<(), Denial> {
    let Some(policy) = policy else { return Ok(()) };
    let began = Instant::now();
    let asked = Asked::new(arn, call.visit, &call.shared.config, None);
    let decided = match asked.of(policy) {
        Decision::Allow => Ok(()),
        decision => Err(Denial::AccessDenied(permission::refusal("anonymous", &asked.arn, decision))),
    };
    permitted(call, began, decided)
}

/// Notes what the policies have decided, for the access log.
fn permitted(call: &Call<'_>, began: Instant, decided: Result<(), Denial>) -> Result<(), Denial> {
    let _ = call.visit.authorize.set(Phase::ended(began, decided.as_ref()));
    decided
}

async fn signed(
    call: &Call<'_>,
    body: &mut Body,
    arn: String,
    policy: Option<&Policy>,
) -> Result<Known, GatewayFault> {
    let owner = &call.api.owner;
    let mut began = Instant::now();
    let verified = signature::verify(call.shared, call.head, call.visit, &owner.region, body).await;
    match &verified {
        Ok(key) => drop(call.visit.authenticate.set(Phase::ended(began, Ok(key)))),
        Err(GatewayFault::Denied(denial)) => {
            drop(call.visit.authenticate.set(Phase::ended::<()>(began, Err(denial))))
        }
        Err(_) => {}
    }
    let key = verified?;
    began = Instant::now();
    let asked = Asked::new(arn, call.visit, &call.shared.config, Some(key));
    let own = key.policy.as_ref().map_or(Decision::Allow, |policy| asked.of(policy));
    let resource = policy.map_or(Decision::Neither, |policy| asked.of(policy));
    let table = if key.key.account == owner.account { permission::either } else { permission::both };
    let decision = match table(own, resource) {
        Decision::Allow => Ok(()),
        decision => Err(Denial::AccessDenied(permission::refusal(&key.arn(), &asked.arn, decision))),
    };
    Ok((signature::caller(key), permitted(call, began, decision)))
}

/// Whether the caller may have a fresh answer of a cached method: `execute-api:InvalidateCache` by their IAM policy and the
/// API's resource policy, together as for the call itself. Who did not sign needs the resource policy's word.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html#invalidate-method-caching>
pub(crate) fn may_invalidate_cache(call: &Call<'_>) -> bool {
    let owner = &call.api.owner;
    let key = match &call.caller.authority {
        Authority::Iam => call.caller.identity.access_key.as_deref(),
        _ => None,
    };
    let key = key.and_then(|id| call.shared.access_keys.get(id));
    let arn = permission::arn(owner, &call.stage.name, call.verb.as_str(), call.path);
    let asked = Asked::new(arn, call.visit, &call.shared.config, key);
    let resource = match &call.stage.deployed.policy {
        Some(Ok(policy)) => asked.invalidating(policy),
        Some(Err(_)) | None => Decision::Neither,
    };
    let decision = match key {
        None => resource,
        Some(key) => {
            let own = key.policy.as_ref().map_or(Decision::Allow, |policy| asked.invalidating(policy));
            let table = if key.key.account == owner.account { permission::either } else { permission::both };
            table(own, resource)
        }
    };
    decision == Decision::Allow
}

/// Asks a Lambda authorizer, or what it said before of the same caller.
async fn asked(
    call: &Call<'_>,
    authorizer: &LambdaAuthorizer,
    arn: String,
    policy: Option<&Policy>,
) -> Result<Known, Denial> {
    let asked = Asked::new(arn, call.visit, &call.shared.config, None);
    let resource = policy.map_or(Decision::Neither, |policy| asked.of(policy));
    if resource == Decision::ExplicitDeny {
        return Err(Denial::AccessDenied(permission::refusal("anonymous", &asked.arn, resource)));
    }
    let (answer, latency_millis) = answer(call, authorizer, &asked.arn).await?;
    let began = Instant::now();
    let said = match &answer.verdict {
        Verdict::Policy(policy) => asked.of(policy),
        Verdict::Simple(true) => Decision::Allow,
        Verdict::Simple(false) => Decision::ExplicitDeny,
    };
    let decision = match permission::either(said, resource) {
        Decision::Allow => Ok(()),
        decision => Err(Denial::AccessDenied(format!(
            "User is not authorized to access this resource{}",
            permission::suffix(decision)
        ))),
    };
    Ok((answer.caller(latency_millis), permitted(call, began, decision)))
}

/// The authorizer's answer, and how long it took in milliseconds.
async fn answer(
    call: &Call<'_>,
    authorizer: &LambdaAuthorizer,
    arn: &str,
) -> Result<(Arc<Answer>, u64), Denial> {
    told::begins(call.visit, &authorizer.id);
    let identities = identities(call, authorizer)?;
    told::identity(call.visit, &identities);
    let keeps = !authorizer.ttl.is_zero() && !authorizer.sources.is_empty();
    let key = source::key(&authorizer.id, identities.iter().map(String::as_str));
    let now = call.visit.time;
    if keeps && let Some(answer) = call.stage.answers.0.get(&key, now) {
        told::succeeded(call.visit, &answer);
        return Ok((answer, 0));
    }
    let asked = ask(call, authorizer, &identities, arn).await?;
    let answer = Arc::new(asked.answer);
    told::succeeded(call.visit, &answer);
    if keeps {
        call.stage.answers.0.put(&key, Arc::clone(&answer), 4 * answer.bytes, now + authorizer.ttl, now);
    }
    Ok((answer, asked.latency_millis))
}

/// Asks the function, whatever it said before.
async fn ask(
    call: &Call<'_>,
    authorizer: &LambdaAuthorizer,
    identities: &[String],
    arn: &str,
) -> Result<Answered, Denial> {
    let event = match authorizer.form {
        Form::Token { .. } => events::authorizer::token(identities.first().map_or("", String::as_str), arn),
        Form::Request | Form::Http { .. } => events::authorizer::rest_request(call, arn),
    };
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    let trace = trace.to_str().unwrap_or_default().to_owned();
    if call.visit.tells_data() {
        execution::invocation(call, &authorizer.uri.fill(&call.stage.variables, |_| None), &event);
    }
    let asked = authorizer.ask(call.shared, call.visit, &call.stage.variables, trace, event).await;
    asked.inspect_err(|denial| told::failed(call.visit, denial))
}

/// Who the request says it is from. Sources may be missing only where they are no cache's key.
fn identities(call: &Call<'_>, authorizer: &LambdaAuthorizer) -> Result<Vec<String>, Denial> {
    let mut identities = Vec::with_capacity(authorizer.sources.len());
    for source in &authorizer.sources {
        let value = source.value(call.head, &call.stage.variables, |name| call.context(name));
        match value {
            Some(value) => identities.push(value.into_owned()),
            None if authorizer.ttl.is_zero() && matches!(authorizer.form, Form::Request) => {}
            None => return Err(Denial::Unauthorized("an identity source is missing".to_owned())),
        }
    }
    if let (Form::Token { expression: Some(expression) }, Some(token)) =
        (&authorizer.form, identities.first())
        && expression.is_match(token) != Ok(true)
    {
        return Err(Denial::Unauthorized("the token does not match the validation expression".to_owned()));
    }
    Ok(identities)
}

/// Verifies the token that the request bears.
async fn bearing(call: &Call<'_>, authorizer: &TokenAuthorizer, scopes: &[String]) -> Result<Caller, Denial> {
    let unauthorized = |why: &str| Denial::Unauthorized(why.to_owned());
    let text = authorizer.source.value(call.head, &call.stage.variables, |name| call.context(name));
    let text = text.ok_or_else(|| unauthorized("there is no token"))?;
    let held = authorizer.verify(call.shared, &text, call.visit.time).await.map_err(|why| match why {
        Rejected::Expired => Denial::TokenExpired,
        Rejected::NoKey(NoKey::Unavailable(why)) => Denial::Unreachable(why.to_owned()),
        other => Denial::Unauthorized(other.to_string()),
    })?;
    let pools = matches!(authorizer.dialect, Dialect::UserPools { .. });
    let wanted = if scopes.is_empty() { "id" } else { "access" };
    if pools && held.purpose.as_deref().is_some_and(|purpose| purpose != wanted) {
        return Err(unauthorized("the token is of the other kind"));
    }
    if !scopes.is_empty() && !held.has_one_of(scopes) {
        return Err(unauthorized("the token has none of the scopes"));
    }
    let claims = if pools || scopes.is_empty() { &held.claims } else { &held.scoped };
    Ok(Caller { authority: Authority::Token(Arc::clone(claims)), ..Caller::default() })
}

/// What an authorizer says by itself of a request.
pub(crate) enum Tried {
    /// A Lambda authorizer's answer, as it returned it.
    Lambda(Bytes),
    /// The claims of a token.
    Token(Arc<Claims>),
}

/// Asks the method's authorizer, and nobody else: no policy decides, nothing is kept.
///
/// # Errors
/// As of [`check`].
pub(crate) async fn try_out(call: &Call<'_>) -> Result<Tried, GatewayFault> {
    let arn = permission::arn(&call.api.owner, &call.stage.name, call.verb.as_str(), call.path);
    match &call.method.guard {
        Guard::Lambda(authorizer) => {
            told::begins(call.visit, &authorizer.id);
            let identities = identities(call, authorizer)?;
            told::identity(call.visit, &identities);
            let asked = ask(call, authorizer, &identities, &arn).await?;
            told::succeeded(call.visit, &asked.answer);
            Ok(Tried::Lambda(asked.payload))
        }
        Guard::Token(authorizer, scopes) => match bearing(call, authorizer, scopes).await?.authority {
            Authority::Token(claims) => Ok(Tried::Token(claims)),
            _ => unreachable!("a verified token has claims"),
        },
        Guard::Refused(fault) => Err(fault.clone()),
        Guard::Open | Guard::Iam => Err(GatewayFault::Configuration("Authorizer not found".into())),
    }
}
