//! AWS's words about custom domain names: the domains, their base path mappings, and who may call private ones.

use stagedoor_state::Fault;

use super::{bad_request, conflict, not_found};

// === Domain names ===

pub fn no_domain_name() -> Fault {
    not_found("Invalid domain name identifier specified")
}

pub fn domain_name_exists() -> Fault {
    bad_request("The domain name you provided already exists.")
}

/// No record of AWS's words for this exists.
pub fn bad_domain_name(name: &str) -> Fault {
    bad_request(format!("Invalid domain name specified: {name}"))
}

/// No record of AWS's words for this exists.
pub fn bad_certificate_arn() -> Fault {
    bad_request("Invalid certificate ARN specified")
}

/// No record of AWS's words for this exists.
pub fn bad_certificate() -> Fault {
    bad_request(
        "Invalid certificate specified: certificateBody and certificatePrivateKey must be in PEM form",
    )
}

/// No record of AWS's words for this exists.
pub fn bad_truststore() -> Fault {
    bad_request("Invalid truststore URI specified: it must begin with s3://")
}

/// No record of AWS's words for this exists.
pub fn mutual_tls_is_regional() -> Fault {
    bad_request("Mutual TLS authentication is only supported for REGIONAL domain names")
}

/// No record of AWS's words for this exists.
pub fn policies_are_private() -> Fault {
    bad_request("Policies are only supported for PRIVATE domain names")
}

/// No record of AWS's words for this exists.
pub fn private_stays_private() -> Fault {
    bad_request("A PRIVATE domain name cannot have, or be changed to, another endpoint type")
}

/// No record of AWS's words for this exists.
pub fn security_policy_of_other_endpoint(policy: &str) -> Fault {
    bad_request(format!("The security policy {policy} is not supported for this endpoint type"))
}

/// That one request cannot do both is documented, AWS's words for it are not.
pub fn adds_and_removes() -> Fault {
    bad_request("Certificates and endpoint types cannot be added and removed in the same request")
}

// === Base path mappings ===

pub fn no_base_path_mapping() -> Fault {
    not_found("Invalid base path mapping identifier specified")
}

pub fn base_path_taken() -> Fault {
    conflict("Base path already exists for this domain name")
}

pub fn empty_base_path_taken() -> Fault {
    conflict("Only one base path mapping is allowed if the base path is empty.")
}

pub fn base_path_has_slash() -> Fault {
    bad_request(
        "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base \
         path mapping, use API Gateway V2.",
    )
}

/// No record of AWS's words for this exists; they follow those for API mappings.
pub fn bad_base_path() -> Fault {
    bad_request("A base path may contain only letters, numbers and one of $-_.+!*'()")
}

/// In a mapping both an unknown API and an unknown stage are a 400.
pub fn mapped_api_unknown() -> Fault {
    bad_request("Invalid REST API identifier specified")
}

/// See [`mapped_api_unknown`].
pub fn mapped_stage_unknown() -> Fault {
    bad_request("Invalid stage identifier specified")
}

/// No record of AWS's words for this exists; the other generation of the service uses the same.
pub fn websocket_shares_no_domain() -> Fault {
    bad_request("A WebSocket API cannot share a domain name with REST or HTTP APIs")
}

/// That private APIs and private domain names belong together is documented, AWS's words for it are not.
pub fn private_maps_private() -> Fault {
    bad_request("Only PRIVATE APIs can be mapped to PRIVATE domain names, and only to those")
}

pub fn api_is_mapped(api: &str) -> Fault {
    bad_request(format!(
        "Deleting API {api} failed. Please remove all API mappings for the API from your custom domain names."
    ))
}

// === Access associations ===

/// No record of AWS's words for this exists; they follow those for domain names.
pub fn no_access_association() -> Fault {
    not_found("Invalid domain name access association identifier specified")
}

/// No record of AWS's words for this exists.
pub fn access_association_exists() -> Fault {
    conflict("Domain name access association already exists")
}

/// No record of AWS's words for this exists.
pub fn bad_access_source() -> Fault {
    bad_request("Invalid access association source specified: it must be the id of a VPC endpoint")
}

/// IAM's usual form; no record of it for this action exists.
pub fn association_not_allowed(account: &str, domain: &str) -> Fault {
    Fault::new(
        "AccessDeniedException",
        403,
        format!(
            "User: arn:aws:iam::{account}:root is not authorized to perform: apigateway:CreateAccessAssociation on \
             resource: {domain}"
        ),
    )
}
