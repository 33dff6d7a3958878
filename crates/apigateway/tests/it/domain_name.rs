//! Custom domain names: public ones, private ones, and what may be changed of them.

use serde_json::{Value as Json, json};

use crate::control::{Control, START, each, op, text, with, without};

const CERTIFICATE: &str = "arn:aws:acm:us-east-1:111111111111:certificate/one";
const NAME: &str = "api.example.com";

/// What creates a regional domain.
pub(crate) fn regional(name: &str) -> Json {
    json!({
        "domainName": name,
        "regionalCertificateArn": CERTIFICATE,
        "endpointConfiguration": {"types": ["REGIONAL"]},
    })
}

/// What creates a private domain.
pub(crate) fn private(name: &str) -> Json {
    json!({
        "domainName": name,
        "certificateArn": CERTIFICATE,
        "endpointConfiguration": {"types": ["PRIVATE"]},
    })
}

fn update(operations: Json) -> Json {
    json!({"domainName": NAME, "patchOperations": operations})
}

#[test]
fn a_regional_domain_from_birth_to_death() {
    let control = Control::new();
    let created = control.ok("CreateDomainName", regional(NAME));
    let target = text(&created, "regionalDomainName");
    assert!(target.starts_with("d-") && target.ends_with(".execute-api.eu-west-1.amazonaws.com"), "{target}");
    let expected = json!({
        "domainName": NAME,
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com",
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["REGIONAL"]},
        "regionalCertificateArn": CERTIFICATE,
        "regionalDomainName": target,
        "regionalHostedZoneId": "ZLY8HYME6SFDD",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "securityPolicy": "TLS_1_2",
    });
    assert_eq!(created, expected);
    let name = json!({"domainName": NAME});
    assert_eq!(control.ok("GetDomainName", name.clone()), with(expected.clone(), json!({"tags": {}})));
    control.ok("CreateDomainName", regional("*.example.com"));
    let listed = control.ok("GetDomainNames", json!({}));
    assert_eq!(each(&listed["items"], "domainName"), ["*.example.com", NAME]);
    assert_eq!(listed["items"][1], expected);
    assert_eq!(control.ok("GetDomainNames", json!({"resourceOwner": "OTHER_ACCOUNTS"}))["items"], json!([]));

    assert_eq!(control.ok("DeleteDomainName", name.clone()), Json::Null);
    for operation in ["GetDomainName", "UpdateDomainName", "DeleteDomainName", "GetBasePathMappings"] {
        assert_eq!(
            control.err(operation, name.clone()),
            "NotFoundException 404: Invalid domain name identifier specified",
            "{operation}"
        );
    }
}

#[test]
fn a_domain_is_edge_optimised_unless_told() {
    let control = Control::new();
    let created = control.ok("CreateDomainName", json!({"domainName": NAME, "certificateArn": CERTIFICATE}));
    let target = text(&created, "distributionDomainName");
    assert!(target.starts_with('d') && target.ends_with(".cloudfront.net"), "{target}");
    let expected = json!({
        "certificateArn": CERTIFICATE,
        "certificateUploadDate": START as f64,
        "distributionDomainName": target,
        "distributionHostedZoneId": "Z2FDTNDATAQYW2",
        "domainName": NAME,
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com",
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]},
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "securityPolicy": "TLS_1_2",
    });
    assert_eq!(created, expected);
}

#[test]
fn a_private_domain_is_known_by_its_id() {
    let control = Control::new();
    let policy = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}]}"#;
    let input = with(private(NAME), json!({"policy": policy, "tags": {"a": "b"}}));
    let created = control.ok("CreateDomainName", input);
    let id = text(&created, "domainNameId");
    assert_eq!(id.len(), 10);
    let expected = json!({
        "certificateArn": CERTIFICATE,
        "certificateUploadDate": START as f64,
        "domainName": NAME,
        "domainNameArn": format!("arn:aws:apigateway:eu-west-1:111111111111:/domainnames/{NAME}+{id}"),
        "domainNameId": id,
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": {"ipAddressType": "dualstack", "types": ["PRIVATE"]},
        "policy": r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke"}]}"#,
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "securityPolicy": "TLS_1_2",
        "tags": {"a": "b"},
    });
    assert_eq!(created, expected);
    let by_id = json!({"domainName": NAME, "domainNameId": id});
    assert_eq!(control.ok("GetDomainName", by_id.clone()), expected);
    // Its name alone, or with the id inside, names none; others may have the same name.
    for name in [NAME.to_owned(), format!("{NAME}+{id}")] {
        let unknown = control.err("GetDomainName", json!({"domainName": name}));
        assert_eq!(unknown, "NotFoundException 404: Invalid domain name identifier specified");
    }
    control.ok("CreateDomainName", private(NAME));
    control.ok("CreateDomainName", regional(NAME));
    assert_eq!(control.ok("GetDomainNames", json!({}))["items"].as_array().map(Vec::len), Some(3));

    let manage =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"apigateway:CreateAccessAssociation"}}"#;
    let operations = json!([
        op("replace", "/managementPolicy", manage),
        op("replace", "/policy", ""),
        op("replace", "/routingMode", "ROUTING_RULE_ONLY")
    ]);
    let changed = control.ok("UpdateDomainName", with(by_id.clone(), json!({"patchOperations": operations})));
    let expected = with(
        without(expected, "policy"),
        json!({
            "managementPolicy": manage,
            "routingMode": "ROUTING_RULE_ONLY",
        }),
    );
    assert_eq!(changed, expected);
    control.ok("DeleteDomainName", by_id);
    assert_eq!(control.ok("GetDomainNames", json!({}))["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_patches_change() {
    let control = Control::new();
    control.ok("CreateDomainName", regional(NAME));
    let other = "arn:aws:acm:eu-west-1:111111111111:certificate/two";
    let changed = control.ok(
        "UpdateDomainName",
        update(json!([
            op("replace", "/regionalCertificateArn", other),
            op("replace", "/regionalCertificateName", "two"),
            op("add", "/ownershipVerificationCertificateArn", other),
            op("add", "/mutualTlsAuthentication/truststoreUri", "s3://bucket/trust.pem"),
            op("replace", "/mutualTlsAuthentication/truststoreVersion", "7"),
            op("replace", "/endpointConfiguration/ipAddressType", "dualstack"),
            op("replace", "/endpointAccessMode", "STRICT"),
            op("replace", "/routingMode", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"),
            op("replace", "/securityPolicy", "SecurityPolicy_TLS13_1_3_2025_09"),
        ])),
    );
    let expected = json!({
        "domainName": NAME,
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com",
        "domainNameStatus": "AVAILABLE",
        "endpointAccessMode": "STRICT",
        "endpointConfiguration": {"ipAddressType": "dualstack", "types": ["REGIONAL"]},
        "mutualTlsAuthentication": {"truststoreUri": "s3://bucket/trust.pem", "truststoreVersion": "7"},
        "ownershipVerificationCertificateArn": other,
        "regionalCertificateArn": other,
        "regionalCertificateName": "two",
        "regionalDomainName": changed["regionalDomainName"],
        "regionalHostedZoneId": "ZLY8HYME6SFDD",
        "routingMode": "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
        "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09",
        "tags": {},
    });
    assert_eq!(changed, expected);
    let off = json!([op("replace", "/mutualTlsAuthentication/truststoreUri", "")]);
    assert_eq!(control.ok("UpdateDomainName", update(off)), without(expected, "mutualTlsAuthentication"));
}

#[test]
fn a_domain_moves_from_the_edge_to_its_region_in_two_steps() {
    let control = Control::new();
    control.ok("CreateDomainName", json!({"domainName": NAME, "certificateArn": CERTIFICATE}));
    let both = control.ok(
        "UpdateDomainName",
        update(json!([
            op("add", "/endpointConfiguration/types", "REGIONAL"),
            op("add", "/regionalCertificateArn", CERTIFICATE),
        ])),
    );
    assert_eq!(both["endpointConfiguration"]["types"], json!(["EDGE", "REGIONAL"]));
    assert!(both["distributionDomainName"].is_string() && both["regionalDomainName"].is_string(), "{both}");
    let moved =
        control.ok("UpdateDomainName", update(json!([op("remove", "/endpointConfiguration/types", "EDGE")])));
    assert_eq!(moved["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    assert_eq!(moved["regionalDomainName"], both["regionalDomainName"]);
    for gone in ["distributionDomainName", "distributionHostedZoneId", "certificateArn"] {
        assert_eq!(moved.get(gone), None, "{gone}");
    }
    // As Terraform says it, the other way round.
    let back = update(json!([
        op("replace", "/endpointConfiguration/types/REGIONAL", "EDGE"),
        op("replace", "/certificateArn", CERTIFICATE),
    ]));
    assert_eq!(control.ok("UpdateDomainName", back)["endpointConfiguration"]["types"], json!(["EDGE"]));
}

/// Of these texts AWS is known to say the first, those about endpoint types and addresses, and those about paths.
#[test]
fn refused_domain_names() {
    let control = Control::new();
    control.ok("CreateDomainName", regional(NAME));
    let b = |members: Json| with(regional("b.example.com"), members);
    let types = |types: Json| json!({"endpointConfiguration": {"types": types}});
    let tls = |uri: &str| json!({"mutualTlsAuthentication": {"truststoreUri": uri}});
    let edge = with(json!({"domainName": "b.example.com", "certificateArn": CERTIFICATE}), tls("s3://a/b"));
    let cases = [
        (regional(NAME), "The domain name you provided already exists."),
        (b(types(json!([]))), "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
        (
            with(
                private(NAME),
                json!({"endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}}),
            ),
            "Only dualstack ipAddressType is supported for Private APIs.",
        ),
        (regional("nothing"), "Invalid domain name specified: nothing"),
        (json!({"domainName": "b.example.com"}), "Invalid certificate ARN specified"),
        (b(json!({"regionalCertificateArn": "x"})), "Invalid certificate ARN specified"),
        (without(private(NAME), "certificateArn"), "Invalid certificate ARN specified"),
        (b(tls("https://x")), "Invalid truststore URI specified: it must begin with s3://"),
        (edge, "Mutual TLS authentication is only supported for REGIONAL domain names"),
        (
            b(types(json!(["PRIVATE", "REGIONAL"]))),
            "A PRIVATE domain name cannot have, or be changed to, another endpoint type",
        ),
        (
            b(json!({"policy": r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*"}}"#})),
            "Policies are only supported for PRIVATE domain names",
        ),
        (
            with(private(NAME), json!({"policy": "{}"})),
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        ),
        (
            b(json!({"securityPolicy": "SecurityPolicy_TLS13_2025_EDGE"})),
            "The security policy SecurityPolicy_TLS13_2025_EDGE is not supported for this endpoint type",
        ),
        (
            b(json!({"certificateName": "x", "certificateBody": "x"})),
            "Invalid certificate specified: certificateBody and certificatePrivateKey must be in PEM form",
        ),
    ];
    for (input, message) in cases {
        let refused = control.err("CreateDomainName", input.clone());
        assert_eq!(refused, format!("BadRequestException 400: {message}"), "{input}");
    }
    let cases = [
        (json!([op("replace", "/domainName", "x")]), "Invalid patch path /domainName"),
        (
            json!([op("add", "/securityPolicy", "TLS_1_2")]),
            "Invalid patch operation specified. Must be one of: [replace]",
        ),
        (
            json!([op("add", "/endpointConfiguration/types", "x")]),
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
        ),
        (
            json!([
                op("add", "/endpointConfiguration/types", "EDGE"),
                op("remove", "/regionalCertificateArn", "")
            ]),
            "Certificates and endpoint types cannot be added and removed in the same request",
        ),
        (json!([op("remove", "/regionalCertificateArn", "")]), "Invalid certificate ARN specified"),
        (
            json!([op("replace", "/endpointConfiguration/types/0", "PRIVATE")]),
            "A PRIVATE domain name cannot have, or be changed to, another endpoint type",
        ),
    ];
    for (operations, message) in cases {
        let refused = control.err("UpdateDomainName", update(operations.clone()));
        assert_eq!(refused, format!("BadRequestException 400: {message}"), "{operations}");
    }
}

#[test]
fn domains_have_tags() {
    let control = Control::new();
    let public = text(&control.ok("CreateDomainName", regional(NAME)), "domainNameArn");
    let private = text(&control.ok("CreateDomainName", private(NAME)), "domainNameArn");
    for arn in [public, private] {
        control.ok("TagResource", json!({"resourceArn": arn, "tags": {"team": "a", "x": "y"}}));
        control.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["x"]}));
        assert_eq!(control.ok("GetTags", json!({"resourceArn": arn})), json!({"tags": {"team": "a"}}));
    }
    assert_eq!(control.ok("GetDomainName", json!({"domainName": NAME}))["tags"], json!({"team": "a"}));
}
