//! VPC links: which configured address stands for a private integration.
//!
//! Nothing here is a private network; an operator says where each link, or the load balancer behind it, can be reached.

use std::collections::BTreeMap;

use http::Uri;

use crate::fault::GatewayFault;

/// What a private integration names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// `connectionId`
    pub(crate) link: &'a str,
    /// `integrationUri` of an HTTP API: the ARN of a listener or of a Cloud Map service; `integrationTarget` of a REST API.
    pub(crate) arn: Option<&'a str>,
    /// `targetArns` of a REST API's link: load balancers.
    pub(crate) targets: &'a [String],
}

/// The address: that of the ARN, of its load balancer, of the link, or of a load balancer that the link leads to.
///
/// # Errors
/// A configuration error that says what is missing.
pub(crate) fn address<'c>(
    configured: &'c BTreeMap<String, Uri>,
    named: Named<'_>,
) -> Result<&'c Uri, GatewayFault> {
    let by_arn = named.arn.and_then(|arn| {
        let (arn, _filters) = arn.split_once('?').unwrap_or((arn, ""));
        configured.get(arn).or_else(|| configured.get(&load_balancer(arn)?))
    });
    let by_target = || named.targets.iter().find_map(|arn| configured.get(arn));
    by_arn.or_else(|| configured.get(named.link)).or_else(by_target).ok_or_else(|| {
        let of = named.arn.map(|arn| format!(" nor {arn}")).unwrap_or_default();
        GatewayFault::Configuration(
            format!("neither the VPC link {:?}{of} has an address in vpc-links", named.link).into(),
        )
    })
}

/// `…:loadbalancer/app/name/id` of `…:listener/app/name/id/listener`.
fn load_balancer(listener: &str) -> Option<String> {
    let (before, path) = listener.split_once(":listener/")?;
    let (path, _listener) = path.rsplit_once('/')?;
    Some(format!("{before}:loadbalancer/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/lb/50dc/f2f7";
    const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/lb/50dc";
    const SERVICE: &str = "arn:aws:servicediscovery:eu-west-1:1:service/srv-1";

    fn check(configured: &[&str], arn: Option<&str>, expected: Option<&str>) {
        check_to(configured, arn, &[], expected);
    }

    fn check_to(configured: &[&str], arn: Option<&str>, targets: &[&str], expected: Option<&str>) {
        let targets: Vec<String> = targets.iter().map(|arn| (*arn).to_owned()).collect();
        let uri = |at: usize| format!("http://h{at}").parse().expect("a URI");
        let configured =
            configured.iter().enumerate().map(|(at, name)| ((*name).to_owned(), uri(at))).collect();
        let found = address(&configured, Named { link: "vl1", arn, targets: &targets })
            .map(|uri| uri.host().unwrap_or_default());
        assert_eq!(found.ok(), expected);
    }

    #[test]
    fn the_narrowest_name_wins() {
        check(&["vl1", LISTENER, BALANCER], Some(LISTENER), Some("h1"));
        check(&["vl1", BALANCER], Some(LISTENER), Some("h1"));
        check(&["vl1"], Some(LISTENER), Some("h0"));
        check(&[SERVICE], Some(&format!("{SERVICE}?stage=prod")), Some("h0"));
        check(&["vl1"], None, Some("h0"));
        check(&["vl2"], Some(LISTENER), None);
        check_to(&[BALANCER], None, &["arn:other", BALANCER], Some("h0"));
        check_to(&["vl1", BALANCER], None, &[BALANCER], Some("h0"));
        check_to(&["vl2"], None, &[BALANCER], None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let Err(GatewayFault::Configuration(why)) =
            address(&BTreeMap::new(), Named { link: "vl1", arn: Some(SERVICE), targets: &[] })
        else {
            panic!("nothing is configured");
        };
        assert_eq!(why, format!("neither the VPC link \"vl1\" nor {SERVICE} has an address in vpc-links"));
    }
}
