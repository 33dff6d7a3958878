//! What is stored of custom domain names. There is one store of them behind both generations of the service: a
//! domain that one has made, the other shows and changes.
//!
//! The domain itself is stored as the older generation answers it, whose shape says everything that the newer
//! one's does. Which request belongs to which mapping is the data plane's to find out.

use serde::{Deserialize, Serialize};
use stagedoor_api::apigateway as rest;
use stagedoor_api::apigatewayv2 as http;

use crate::document::{Documents, Kind};
use crate::{Result, arn};

/// Ids: `[key]`, see [`key`].
impl Kind for rest::DomainName {
    const KIND: &'static str = "domain-name";
}

/// Which API's stage answers what arrives below a path of a domain: a base path mapping of the older generation,
/// an API mapping of the newer one. Ids: `[key of the domain, id]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    pub id: String,
    /// A REST, HTTP or WebSocket API.
    pub api_id: String,
    /// `None`: the path segment after the base path names the stage. Only REST APIs have that.
    pub stage: Option<String>,
    /// Whole path segments without slashes at the ends, like `orders/v1`; empty at the root, which the older
    /// generation spells `(none)`.
    pub path: String,
}

impl Kind for Mapping {
    const KIND: &'static str = "domain-mapping";
}

/// Ids: `[key of the domain, rule]`.
impl Kind for http::RoutingRule {
    const KIND: &'static str = "domain-routing-rule";
}

/// Which VPC endpoint may call a private domain; stored with the account that the endpoint belongs to.
/// Ids: `[ARN of the domain, source]`.
impl Kind for rest::DomainNameAccessAssociation {
    const KIND: &'static str = "domain-access-association";
}

/// An association that another account has made with a domain, stored with the domain's account.
/// Ids: `[key of the domain, the other account, source]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    pub account: String,
    pub association: rest::DomainNameAccessAssociation,
}

impl Kind for Guest {
    const KIND: &'static str = "domain-guest";
}

/// What a domain is stored under. Private domains may share a name; their id tells them apart.
pub fn key(name: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{name}+{id}"),
        None => name.to_owned(),
    }
}

/// A domain's own ARN. Those of private domains name their account.
pub fn arn(region: &str, account: &str, name: &str, id: Option<&str>) -> String {
    let path = format!("/domainnames/{}", key(name, id));
    match id {
        Some(_) => format!("arn:aws:apigateway:{region}:{account}:{path}"),
        None => arn::apigateway(region, &path),
    }
}

/// Characters of a domain name, as in the DNS.
const NAME_MAX: usize = 253;
/// Characters between two dots.
const LABEL_MAX: usize = 63;

/// Whether this is the name of a host with at least one dot, in lower case; its first label may be `*`.
pub fn is_name(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let well_formed =
        labels.iter().enumerate().all(|(at, label)| is_label(label) || at == 0 && *label == "*");
    well_formed && labels.len() > 1 && name.len() <= NAME_MAX
}

fn is_label(label: &str) -> bool {
    let letters =
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    letters && (1..=LABEL_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether any domain maps requests to this API, which then cannot be deleted.
pub fn is_mapped(documents: &mut Documents<'_>, api_id: &str) -> Result<bool> {
    Ok(documents.all::<Mapping>(&[])?.iter().any(|mapping| mapping.api_id == api_id))
}

/// Deletes a domain with its mappings, its rules and the associations with it, also those of other accounts.
pub fn delete(documents: &mut Documents<'_>, key: &str) -> Result<()> {
    let domain = documents.get::<rest::DomainName>(&[key])?;
    if let Some(arn) = domain.and_then(|domain| domain.domain_name_arn) {
        for guest in documents.all::<Guest>(&[key])? {
            documents.of_account(&guest.account).delete_all::<rest::DomainNameAccessAssociation>(&[&arn])?;
        }
        documents.delete_all::<rest::DomainNameAccessAssociation>(&[&arn])?;
    }
    documents.delete_all::<Guest>(&[key])?;
    documents.delete_all::<Mapping>(&[key])?;
    documents.delete_all::<http::RoutingRule>(&[key])?;
    documents.delete::<rest::DomainName>(&[key])
}

/// The hosted zone of regional domain names, for alias records.
///
/// <https://docs.aws.amazon.com/general/latest/gr/apigateway.html>
pub fn hosted_zone(region: &str) -> &'static str {
    match region {
        "us-east-1" => "Z1UJRXOUMOOFQ8",
        "us-east-2" => "ZOJJZC49E0EPZ",
        "us-west-1" => "Z2MUQ32089INYE",
        "us-west-2" => "Z2OJLYMUO9EFXC",
        "ca-central-1" => "Z19DQILCV0OWEC",
        "eu-central-1" => "Z1U9ULNL0V5AJ3",
        "eu-north-1" => "Z3UWIKFBOOGXPP",
        "eu-west-1" => "ZLY8HYME6SFDD",
        "eu-west-2" => "ZJ5UAJN8Y3Z2Q",
        "eu-west-3" => "Z3KY65QIEKYHQQ",
        "ap-northeast-1" => "Z1YSHQZHG15GKL",
        "ap-northeast-2" => "Z20JF4UZKIW1U8",
        "ap-south-1" => "Z3VO1THU9YC4UR",
        "ap-southeast-1" => "ZL327KTPIQFUL",
        "ap-southeast-2" => "Z2RPCDW04V8134",
        "sa-east-1" => "ZCMLWB8V5SYIT",
        // Nothing here resolves names; any zone's id has this form.
        _ => "Z00000000000000000000",
    }
}

/// The hosted zone of edge-optimised domain names in every region.
pub const EDGE_HOSTED_ZONE: &str = "Z2FDTNDATAQYW2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["example.com", "*.example.com", "a-1.b.c.example"] {
            assert!(is_name(good), "{good}");
        }
        let long = format!("{}.com", "a".repeat(64));
        for bad in ["", "example", "a..b", "-a.com", "a.*.com", "Example.com", "a_b.com", "a.com/b", &long] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn private_domains_are_told_apart() {
        assert_eq!(key("a.example", None), "a.example");
        assert_eq!(key("a.example", Some("abc")), "a.example+abc");
        assert_eq!(
            arn("eu-west-1", "1", "a.example", None),
            "arn:aws:apigateway:eu-west-1::/domainnames/a.example"
        );
        let private = arn("eu-west-1", "1", "a.example", Some("abc"));
        assert_eq!(private, "arn:aws:apigateway:eu-west-1:1:/domainnames/a.example+abc");
    }
}
