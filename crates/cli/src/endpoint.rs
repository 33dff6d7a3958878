//! Where a service is: the address that somebody configured, or that of AWS in a region.

use stagedoor_model::Service;

use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::globals::Globals;
use crate::profile::Profile;

/// The endpoint that somebody gave; services go by botocore's service ids.
pub fn given(
    service: &Service,
    globals: &Globals,
    environment: &Environment,
    profile: &Profile,
) -> Result<Option<String>> {
    if let Some(endpoint) = &globals.endpoint {
        return checked(endpoint).map(Some);
    }
    if flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", environment, profile) {
        return Ok(None);
    }
    let id = service_id(service);
    let variable = format!("AWS_ENDPOINT_URL_{}", id.to_uppercase());
    let of_environment =
        environment.get(&variable).or_else(|| environment.get("AWS_ENDPOINT_URL")).map(str::to_owned);
    Ok(of_environment
        .or_else(|| profile.service_endpoint(id))
        .or_else(|| profile.get("endpoint_url").map(str::to_owned)))
}

/// The value of `--endpoint-url`, in which people forget the scheme.
fn checked(endpoint: &str) -> Result<String> {
    if endpoint.contains("://") {
        return Ok(endpoint.to_owned());
    }
    let form = "Must be of the form http://<hostname>/ or https://<hostname>/";
    let message = format!("Bad value for --endpoint-url \"{endpoint}\": scheme is missing.  {form}");
    Err(Failure::Other(message))
}

/// The service id in the spelling of variables and `services` sections.
fn service_id(service: &Service) -> &'static str {
    match service.name {
        "apigateway" => "api_gateway",
        "apigatewayv2" => "apigatewayv2",
        "apigatewaymanagementapi" => "apigatewaymanagementapi",
        _ => "ivs_realtime",
    }
}

/// A partition of AWS: the beginnings of its regions' names, and its two domains.
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("", "amazonaws.com", "api.aws"),
];

/// AWS's own endpoint, by the rules that all four services share.
pub fn of_aws(service: &Service, region: &str, environment: &Environment, profile: &Profile) -> String {
    let host = match service.name {
        "apigateway" | "apigatewayv2" => "apigateway",
        "apigatewaymanagementapi" => "execute-api",
        _ => "ivsrealtime",
    };
    let fips =
        if flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", environment, profile) { "-fips" } else { "" };
    let is_dual = flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", environment, profile);
    let partition = PARTITIONS.iter().find(|(begin, ..)| region.starts_with(begin));
    let (_, domain, dual) = partition.unwrap_or(&PARTITIONS[PARTITIONS.len() - 1]);
    format!("https://{host}{fips}.{region}.{}", if is_dual { dual } else { domain })
}

fn flag(variable: &str, key: &str, environment: &Environment, profile: &Profile) -> bool {
    let word = environment.get(variable).or_else(|| profile.get(key));
    word.is_some_and(|word| word.eq_ignore_ascii_case("true"))
}

/// A region's name is a host label.
///
/// # Errors
/// [`Failure::Configuration`] in botocore's words.
pub fn check_region(region: &str) -> Result<()> {
    let letters = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if letters && (1..=63).contains(&region.len()) && !region.starts_with('-') && !region.ends_with('-') {
        return Ok(());
    }
    Err(Failure::Other(format!("Provided region_name '{region}' doesn't match a supported format.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region, variables of the environment, and the endpoint.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

    #[test]
    fn regions_lead_to_their_partitions() {
        let cases: [Case; 6] = [
            ("eu-west-1", &[], "https://ivsrealtime.eu-west-1.amazonaws.com"),
            ("cn-north-1", &[], "https://ivsrealtime.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", &[], "https://ivsrealtime.us-iso-east-1.c2s.ic.gov"),
            ("eusc-de-east-1", &[], "https://ivsrealtime.eusc-de-east-1.amazonaws.eu"),
            (
                "us-gov-west-1",
                &[("AWS_USE_FIPS_ENDPOINT", "true")],
                "https://ivsrealtime-fips.us-gov-west-1.amazonaws.com",
            ),
            ("us-east-2", &[("AWS_USE_DUALSTACK_ENDPOINT", "True")], "https://ivsrealtime.us-east-2.api.aws"),
        ];
        for (region, variables, expected) in cases {
            let mut environment = Environment::of([]);
            environment.set(variables);
            let found =
                of_aws(&stagedoor_model::ivs_realtime::SERVICE, region, &environment, &Profile::default());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_region_is_a_host_label() {
        assert!(check_region("us-east-1").is_ok());
        for wrong in ["", "us east", "-a", "a-", "a/b", "a.b", &"a".repeat(64)] {
            assert!(check_region(wrong).is_err(), "{wrong}");
        }
    }
}
