//! Routing rules: which REST API's stage answers requests to a custom domain name that meet conditions. Matching
//! requests is the data plane's. Private domains have rules too and are named with their id.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>

use stagedoor_api::apigateway::RestApi;
use stagedoor_api::apigatewayv2::{
    Api, CreateRoutingRuleRequest, DeleteRoutingRuleRequest, GetRoutingRuleRequest, ListRoutingRulesRequest,
    ListRoutingRulesResponse, PutRoutingRuleRequest, RoutingRule, RoutingRuleAction, RoutingRuleCondition,
    RoutingRuleMatchHeaderValue,
};
use stagedoor_state::{Cx, Result, domain};

use crate::list::{self, Ask};
use crate::{api_mapping, domain_name, messages};

const ID_LENGTH: usize = 6;
const PRIORITIES: std::ops::RangeInclusive<i64> = 1..=1_000_000;
/// Most conditions on headers in one rule; there is at most one on the path.
const HEADER_CONDITIONS_MAX: usize = 2;
/// Characters of the pattern that a header is held against.
const GLOB_MAX: usize = 127;

/// `POST /v2/domainnames/{domainName}/routingrules`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules.html>
pub fn create_routing_rule(cx: &mut Cx<'_>, input: CreateRoutingRuleRequest) -> Result<RoutingRule> {
    let key = domain_key(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let rule = RoutingRule {
        actions: Some(input.actions),
        conditions: Some(input.conditions),
        priority: Some(input.priority),
        routing_rule_id: Some(cx.new_id(ID_LENGTH)),
        routing_rule_arn: None,
    };
    store(cx, &key, rule)
}

/// `GET /v2/domainnames/{domainName}/routingrules/{routingRuleId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules-routingruleid.html>
pub fn get_routing_rule(cx: &mut Cx<'_>, input: GetRoutingRuleRequest) -> Result<RoutingRule> {
    let key = domain_key(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    existing(cx, &key, &input.routing_rule_id)
}

/// `GET /v2/domainnames/{domainName}/routingrules`, in the order in which they are tried.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules.html>
pub fn list_routing_rules(
    cx: &mut Cx<'_>,
    input: ListRoutingRulesRequest,
) -> Result<ListRoutingRulesResponse> {
    let key = domain_key(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let rules = cx.all::<RoutingRule>(&[&key])?;
    let ask = Ask::new(input.max_results.map(|most| most.to_string()), input.next_token);
    let page = list::cut(cx, &["ListRoutingRules", &key], &ask, rules, |rule| {
        format!("{:07}", rule.priority.unwrap_or_default())
    })?;
    Ok(ListRoutingRulesResponse { routing_rules: Some(page.items), next_token: page.next })
}

/// `PUT /v2/domainnames/{domainName}/routingrules/{routingRuleId}`: replaces the rule, or makes one of that id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules-routingruleid.html>
pub fn put_routing_rule(cx: &mut Cx<'_>, input: PutRoutingRuleRequest) -> Result<RoutingRule> {
    let key = domain_key(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let rule = RoutingRule {
        actions: Some(input.actions),
        conditions: Some(input.conditions),
        priority: Some(input.priority),
        routing_rule_id: Some(input.routing_rule_id),
        routing_rule_arn: None,
    };
    store(cx, &key, rule)
}

/// `DELETE /v2/domainnames/{domainName}/routingrules/{routingRuleId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules-routingruleid.html>
pub fn delete_routing_rule(cx: &mut Cx<'_>, input: DeleteRoutingRuleRequest) -> Result<()> {
    let key = domain_key(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    existing(cx, &key, &input.routing_rule_id)?;
    cx.delete::<RoutingRule>(&[&key, &input.routing_rule_id])
}

/// The key of a domain that exists.
fn domain_key(cx: &mut Cx<'_>, name: &str, id: Option<&str>) -> Result<String> {
    let key = domain::key(name, id.filter(|id| !id.is_empty()));
    domain_name::keyed(cx, &key)?;
    Ok(key)
}

fn existing(cx: &mut Cx<'_>, key: &str, id: &str) -> Result<RoutingRule> {
    cx.get(&[key, id])?.ok_or_else(messages::routing_rule_not_found)
}

/// Checks, completes and stores a rule.
fn store(cx: &mut Cx<'_>, key: &str, mut rule: RoutingRule) -> Result<RoutingRule> {
    let id = rule.routing_rule_id.clone().unwrap_or_default();
    let (region, account) = (cx.region(), cx.account());
    rule.routing_rule_arn =
        Some(format!("arn:aws:apigateway:{region}:{account}:/domainnames/{key}/routingrules/{id}"));
    for action in rule.actions.iter_mut().flatten() {
        action.invoke_api.strip_base_path.get_or_insert(false);
    }
    check(cx, key, &rule)?;
    cx.put(&[key, &id], &rule)?;
    Ok(rule)
}

fn check(cx: &mut Cx<'_>, key: &str, rule: &RoutingRule) -> Result<()> {
    let priority = rule.priority.unwrap_or_default();
    if !PRIORITIES.contains(&priority) {
        return Err(messages::routing_priority_invalid(*PRIORITIES.end()));
    }
    check_conditions(rule.conditions.as_deref().unwrap_or_default())?;
    match rule.actions.as_deref() {
        Some([action]) => check_action(cx, action)?,
        _ => return Err(messages::one_routing_action()),
    }
    let others = cx.all::<RoutingRule>(&[key])?;
    let taken = others
        .iter()
        .any(|other| other.routing_rule_id != rule.routing_rule_id && other.priority == rule.priority);
    if taken { Err(messages::routing_priority_taken(priority)) } else { Ok(()) }
}

fn check_action(cx: &mut Cx<'_>, action: &RoutingRuleAction) -> Result<()> {
    let target = &action.invoke_api;
    if cx.exists::<Api>(&[&target.api_id])? {
        return Err(messages::routing_rules_rest_only());
    }
    if !cx.exists::<RestApi>(&[&target.api_id])? {
        return Err(messages::mapped_api_not_found(cx.account(), &target.api_id));
    }
    api_mapping::check_stage(cx, &target.api_id, Some(&target.stage))
}

/// No condition at all takes every request.
fn check_conditions(conditions: &[RoutingRuleCondition]) -> Result<()> {
    let headers = conditions.iter().filter_map(|condition| condition.match_headers.as_ref());
    let paths = conditions.iter().filter_map(|condition| condition.match_base_paths.as_ref());
    let single = conditions
        .iter()
        .all(|condition| condition.match_headers.is_some() != condition.match_base_paths.is_some());
    if !single || headers.clone().count() > HEADER_CONDITIONS_MAX || paths.clone().count() > 1 {
        return Err(messages::routing_conditions_invalid());
    }
    let empty = headers.clone().any(|headers| headers.any_of.is_empty())
        || paths.clone().any(|paths| paths.any_of.is_empty() || paths.any_of.iter().any(String::is_empty));
    if empty {
        return Err(messages::routing_conditions_invalid());
    }
    match headers.flat_map(|headers| &headers.any_of).find(|header| !is_header_match(header)) {
        Some(header) => Err(messages::routing_header_invalid(&header.header)),
        None => Ok(()),
    }
}

fn is_header_match(given: &RoutingRuleMatchHeaderValue) -> bool {
    let is_text = |text: &str, more: &[u8]| {
        let fits = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"*?-!#$%&'.^_`|~".contains(&byte) || more.contains(&byte)
        };
        (1..=GLOB_MAX).contains(&text.len()) && text.bytes().all(fits)
    };
    is_text(&given.header, b"+") && is_text(&given.value_glob, b"")
}
