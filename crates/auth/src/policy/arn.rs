//! ARNs in conditions: compared by their six parts, so a wildcard never reaches past a colon.

use super::pattern::Pattern;
use super::request::Context;

/// `ArnLike`, which `ArnEquals` is another name of. Texts that are no ARNs match nothing.
pub(super) fn like(pattern: &Pattern, arn: &str, context: &Context) -> bool {
    let Some(pattern) = pattern.text(context) else { return false };
    let (Some(pattern), Some(arn)) = (parts(&pattern), parts(arn)) else { return false };
    let mut pairs = pattern.iter().zip(arn);
    pairs.all(|(pattern, part)| Pattern::parse(pattern, false, true).matches(part, context, false))
}

/// Partition, service, region, account and resource; the resource may have colons of its own.
fn parts(arn: &str) -> Option<[&str; 6]> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let parts: [&str; 6] = parts.try_into().ok()?;
    (parts[0] == "arn").then_some(parts)
}
