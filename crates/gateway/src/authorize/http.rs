//! Authorization of an HTTP API's route. There are no resource policies.

use std::sync::Arc;

use stagedoor_auth::policy::Decision;

use super::answer::{Answer, Verdict};
use super::caller::{Authority, Caller};
use super::denial::Denial;
use super::guard::Guard;
use super::lambda::{Form, LambdaAuthorizer, Version};
use super::permission::{self, Asked};
use super::token::TokenAuthorizer;
use super::{signature, source};
use crate::body::Body;
use crate::events;
use crate::fault::GatewayFault;
use crate::headers;
use crate::http_api::call::Call;

/// Finds out who asks, and whether they may.
///
/// # Errors
/// [`GatewayFault::Denied`]; those of reading the body, which signatures cover.
pub(crate) async fn check(call: &Call<'_>, body: &mut Body) -> Result<Caller, GatewayFault> {
    match &call.routed.route.guard {
        Guard::Open => Ok(Caller::default()),
        Guard::Iam => signed(call, body).await,
        Guard::Lambda(authorizer) => Ok(asked(call, authorizer).await?),
        Guard::Token(authorizer, scopes) => Ok(bearing(call, authorizer, scopes).await?),
        Guard::Refused(fault) => Err(fault.clone()),
    }
}

/// The route's ARN as requests of this one have it.
fn arn(call: &Call<'_>) -> String {
    let (located, routed) = (call.located, call.routed);
    permission::arn(&call.api.owner, &located.stage.name, routed.verb.as_str(), located.path)
}

/// Only identities of the API's own account can be permitted: there is no policy that lets others in.
async fn signed(call: &Call<'_>, body: &mut Body) -> Result<Caller, GatewayFault> {
    let owner = &call.api.owner;
    let key = signature::verify(call.shared, call.head, call.visit, &owner.region, body).await?;
    let asked = Asked::new(arn(call), call.visit, &call.shared.config, Some(key));
    let own = key.policy.as_ref().map_or(Decision::Allow, |policy| asked.of(policy));
    if own == Decision::Allow && key.key.account == owner.account {
        return Ok(signature::caller(key));
    }
    Err(Denial::AccessDenied(permission::refusal(&key.arn(), &asked.arn, own)).into())
}

async fn asked(call: &Call<'_>, authorizer: &LambdaAuthorizer) -> Result<Caller, Denial> {
    let arn = arn(call);
    let (answer, latency_millis) = answer(call, authorizer, &arn).await?;
    let allowed = match &answer.verdict {
        Verdict::Simple(allowed) => *allowed,
        Verdict::Policy(policy) => {
            Asked::new(arn, call.visit, &call.shared.config, None).of(policy) == Decision::Allow
        }
    };
    if allowed {
        return Ok(answer.caller(latency_millis));
    }
    Err(Denial::AccessDenied("the authorizer does not allow it".to_owned()))
}

/// The authorizer's answer, fresh or kept, and how long it took in milliseconds.
async fn answer(
    call: &Call<'_>,
    authorizer: &LambdaAuthorizer,
    arn: &str,
) -> Result<(Arc<Answer>, u64), Denial> {
    let stage = call.located.stage;
    let value = |source: &source::Source| {
        let value = source.value(call.head, &stage.variables, |name| call.context(name));
        value.map(std::borrow::Cow::into_owned)
    };
    let identities: Option<Vec<String>> = authorizer.sources.iter().map(value).collect();
    let missing = || Denial::Unauthorized("an identity source is missing".to_owned());
    let identities = identities.ok_or_else(missing)?;
    let keeps = !authorizer.ttl.is_zero() && !identities.is_empty();
    let key = source::key(&authorizer.id, identities.iter().map(String::as_str));
    let now = call.visit.time;
    if keeps && let Some(answer) = stage.answers.0.get(&key, now) {
        return Ok((answer, 0));
    }
    let event = match authorizer.form {
        Form::Http { version: Version::V2, .. } => events::authorizer::http_v2(call, arn, &identities),
        _ => events::authorizer::http_v1(call, arn, &identities),
    };
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    let trace = trace.to_str().unwrap_or_default().to_owned();
    let asked = authorizer.ask(call.shared, call.visit, &stage.variables, trace, event).await?;
    let answer = Arc::new(asked.answer);
    if keeps {
        stage.answers.0.put(&key, Arc::clone(&answer), 4 * answer.bytes, now + authorizer.ttl, now);
    }
    Ok((answer, asked.latency_millis))
}

async fn bearing(call: &Call<'_>, authorizer: &TokenAuthorizer, scopes: &[String]) -> Result<Caller, Denial> {
    let variables = &call.located.stage.variables;
    let text = authorizer.source.value(call.head, variables, |name| call.context(name));
    let text = text.ok_or_else(|| Denial::Challenged("Bearer".to_owned()))?;
    let asked_for = scopes.join(" ");
    let challenge = |error: &str, why: &str| {
        format!("Bearer scope=\"{asked_for}\" error=\"{error}\" error_description=\"{why}\"")
    };
    let held = authorizer.verify(call.shared, &text, call.visit.time).await;
    let held = held.map_err(|why| Denial::Challenged(challenge("invalid_token", &why.to_string())))?;
    if scopes.is_empty() {
        return Ok(told(&held.claims));
    }
    if !held.has_one_of(scopes) {
        let why = "the token does not have any of the required scopes";
        return Err(Denial::InsufficientScope(challenge("insufficient_scope", why)));
    }
    Ok(told(&held.scoped))
}

fn told(claims: &Arc<super::caller::Claims>) -> Caller {
    Caller { authority: Authority::Token(Arc::clone(claims)), ..Caller::default() }
}
