//! Custom domain names, which REST APIs share, and their API mappings.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway as rest;

use crate::control::{Control, each, is_id, text};

const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/one";
const UNKNOWN: &str = "NotFoundException 404: Invalid domain name identifier specified";

fn domain(name: &str) -> Json {
    json!({
        "DomainName": name,
        "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"}],
    })
}

fn mapping(api: &str, stage: &str, key: &str) -> Json {
    json!({"DomainName": "api.example.com", "ApiId": api, "Stage": stage, "ApiMappingKey": key})
}

/// A domain, an HTTP API `a` and a REST API `r` with a stage each.
fn furnished() -> Control {
    let control = Control::new();
    control.ok("CreateDomainName", domain("api.example.com"));
    control.http_api("a");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "$default"}));
    control.documents(|documents| {
        documents.put(&["r"], &rest::RestApi::default())?;
        documents.put(&["r", "prod"], &rest::Stage::default())
    });
    control
}

#[test]
fn a_domain_name_from_birth_to_death() {
    let control = Control::new();
    let created = control.ok("CreateDomainName", domain("api.example.com"));
    let target = text(&created["DomainNameConfigurations"][0]["ApiGatewayDomainName"]);
    assert!(target.starts_with("d-") && target.ends_with(".execute-api.eu-west-1.amazonaws.com"), "{target}");
    let mut expected = json!({
        "ApiMappingSelectionExpression": "$request.basepath",
        "DomainName": "api.example.com",
        "DomainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com",
        "DomainNameConfigurations": [{
            "ApiGatewayDomainName": target,
            "CertificateArn": CERTIFICATE,
            "DomainNameStatus": "AVAILABLE",
            "EndpointType": "REGIONAL",
            "HostedZoneId": "ZLY8HYME6SFDD",
            "IpAddressType": "ipv4",
            "SecurityPolicy": "TLS_1_2",
        }],
        "RoutingMode": "API_MAPPING_ONLY",
        "Tags": {},
    });
    assert_eq!(created, expected);
    let name = json!({"DomainName": "api.example.com"});
    assert_eq!(control.ok("GetDomainName", name.clone()), expected);

    let update = json!({
        "DomainName": "api.example.com", "RoutingMode": "ROUTING_RULE_THEN_API_MAPPING",
        "DomainNameConfigurations": [{"IpAddressType": "dualstack"}],
        "MutualTlsAuthentication": {"TruststoreUri": "s3://bucket/trust.pem", "TruststoreVersion": "1"},
    });
    expected["RoutingMode"] = json!("ROUTING_RULE_THEN_API_MAPPING");
    expected["DomainNameConfigurations"][0]["IpAddressType"] = json!("dualstack");
    expected["MutualTlsAuthentication"] =
        json!({"TruststoreUri": "s3://bucket/trust.pem", "TruststoreVersion": "1"});
    assert_eq!(control.ok("UpdateDomainName", update), expected);
    let off = json!({"DomainName": "api.example.com", "MutualTlsAuthentication": {"TruststoreUri": ""}});
    expected.as_object_mut().expect("an object").remove("MutualTlsAuthentication");
    assert_eq!(control.ok("UpdateDomainName", off), expected);

    control.ok("CreateDomainName", domain("*.example.com"));
    assert_eq!(
        each(&control.ok("GetDomainNames", json!({})), "DomainName"),
        ["*.example.com", "api.example.com"]
    );
    assert_eq!(control.ok("DeleteDomainName", name.clone()), Json::Null);
    for operation in ["GetDomainName", "UpdateDomainName", "DeleteDomainName", "GetApiMappings"] {
        assert_eq!(control.err(operation, name.clone()), UNKNOWN, "{operation}");
    }
}

#[test]
fn refused_domain_names() {
    let control = Control::new();
    control.ok("CreateDomainName", domain("api.example.com"));
    let none = "Invalid input. Expected one domain name configuration";
    let edge = json!({
        "DomainName": "b.example.com",
        "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "EndpointType": "EDGE"}],
    });
    let two = json!({"DomainName": "b.example.com", "DomainNameConfigurations": [{}, {}]});
    let cases = [
        (domain("api.example.com"), "The domain name you provided already exists."),
        (json!({"DomainName": "b.example.com"}), none),
        (two, none),
        (
            json!({"DomainName": "b.example.com", "DomainNameConfigurations": [{}]}),
            "Invalid certificate ARN specified",
        ),
        (domain("nothing"), "Invalid domain name specified: nothing"),
        (
            edge,
            "Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE domain names, \
             please use the API Gateway V1 API. Also note that only REST APIs can be attached to EDGE domain names.",
        ),
    ];
    for (input, message) in cases {
        assert_eq!(control.err("CreateDomainName", input), format!("BadRequestException 400: {message}"));
    }
}

#[test]
fn domains_of_the_other_generation_are_shown_unless_they_are_private() {
    let control = Control::new();
    let edge = rest::DomainName {
        domain_name: Some("edge.example.com".to_owned()),
        distribution_domain_name: Some("d1.cloudfront.net".to_owned()),
        certificate_arn: Some(CERTIFICATE.to_owned()),
        endpoint_configuration: Some(rest::EndpointConfiguration {
            types: Some(vec![rest::EndpointType::Edge]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let private = rest::DomainName {
        domain_name: Some("private.example.com".to_owned()),
        domain_name_id: Some("abc".to_owned()),
        ..Default::default()
    };
    control.documents(|documents| {
        documents.put(&["edge.example.com"], &edge)?;
        documents.put(&["private.example.com+abc"], &private)
    });
    let shown = control.ok("GetDomainName", json!({"DomainName": "edge.example.com"}));
    let expected = json!([{
        "ApiGatewayDomainName": "d1.cloudfront.net", "CertificateArn": CERTIFICATE, "EndpointType": "EDGE",
    }]);
    assert_eq!(shown["DomainNameConfigurations"], expected);
    assert_eq!(each(&control.ok("GetDomainNames", json!({})), "DomainName"), ["edge.example.com"]);
    for name in ["private.example.com", "private.example.com+abc"] {
        assert_eq!(control.err("GetDomainName", json!({"DomainName": name})), UNKNOWN);
    }
    let update = control.err("UpdateDomainName", json!({"DomainName": "edge.example.com"}));
    assert!(update.starts_with("BadRequestException 400: Only REGIONAL"), "{update}");
}

#[test]
fn an_api_mapping_from_birth_to_death() {
    let control = furnished();
    let created = control.ok("CreateApiMapping", mapping("a", "$default", "orders/v1"));
    assert!(is_id(&created["ApiMappingId"], 6), "{created}");
    let id = &created["ApiMappingId"];
    let mut expected =
        json!({"ApiId": "a", "ApiMappingId": id, "ApiMappingKey": "orders/v1", "Stage": "$default"});
    assert_eq!(created, expected);
    let ids = json!({"DomainName": "api.example.com", "ApiMappingId": id});
    assert_eq!(control.ok("GetApiMapping", ids.clone()), expected);

    control.ok("CreateApiMapping", mapping("r", "prod", "orders"));
    let mut update = ids.clone();
    update["ApiId"] = json!("r");
    update["Stage"] = json!("prod");
    expected["ApiId"] = json!("r");
    expected["Stage"] = json!("prod");
    assert_eq!(control.ok("UpdateApiMapping", update.clone()), expected);
    update["ApiMappingKey"] = json!("orders");
    let taken = "ConflictException 409: ApiMapping key already exists for this domain name";
    assert_eq!(control.err("UpdateApiMapping", update), taken);
    let mut keys =
        each(&control.ok("GetApiMappings", json!({"DomainName": "api.example.com"})), "ApiMappingKey");
    keys.sort();
    assert_eq!(keys, ["orders", "orders/v1"]);

    assert_eq!(control.ok("DeleteApiMapping", ids.clone()), Json::Null);
    let unknown = "NotFoundException 404: Invalid API mapping identifier specified";
    assert_eq!(control.err("GetApiMapping", ids), unknown);
}

#[test]
fn refused_api_mappings() {
    let control = furnished();
    control.websocket_api("w");
    control.ok("CreateStage", json!({"ApiId": "w", "StageName": "prod"}));
    let root = control
        .ok("CreateApiMapping", json!({"DomainName": "api.example.com", "ApiId": "a", "Stage": "$default"}));
    assert_eq!(root["ApiMappingKey"], "");
    let start =
        "BadRequestException 400: API mapping key should not start with a '/' or have consecutive '/'s.";
    let cases = [
        (
            mapping("a", "$default", ""),
            "ConflictException 409: ApiMapping key already exists for this domain name",
        ),
        (
            mapping("nowhere", "$default", "b"),
            "BadRequestException 400: Invalid API identifier specified 123456789012:nowhere",
        ),
        (mapping("a", "prod", "b"), "BadRequestException 400: Invalid stage identifier specified"),
        (mapping("a", "$default", "/"), start),
        (mapping("a", "$default", "a//b"), start),
        (
            mapping("a", "$default", "a/"),
            "BadRequestException 400: API mapping key should not end with a '/'.",
        ),
        (
            mapping("a", "$default", "a b"),
            "BadRequestException 400: An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/",
        ),
        (
            mapping("w", "prod", "b"),
            "BadRequestException 400: A WebSocket API cannot share a domain name with REST or HTTP APIs",
        ),
    ];
    for (input, refusal) in cases {
        assert_eq!(control.err("CreateApiMapping", input), refusal);
    }
}

#[test]
fn paths_of_several_segments_need_tls_1_2() {
    let control = furnished();
    let old = json!({
        "DomainName": "api.example.com", "DomainNameConfigurations": [{"SecurityPolicy": "TLS_1_0"}],
    });
    control.ok("UpdateDomainName", old);
    control.ok("CreateApiMapping", mapping("a", "$default", "b"));
    let refusal = control.err("CreateApiMapping", mapping("a", "$default", "b/c"));
    assert!(refusal.contains("TLS 1.2"), "{refusal}");
}

#[test]
fn a_mapped_api_is_not_deleted() {
    let control = furnished();
    control.ok("CreateApiMapping", mapping("a", "$default", "x"));
    let refusal = "BadRequestException 400: Deleting API a failed. Please remove all API mappings for the API \
                   from your custom domain names.";
    assert_eq!(control.err("DeleteApi", json!({"ApiId": "a"})), refusal);
    control.ok("DeleteDomainName", json!({"DomainName": "api.example.com"}));
    control.ok("DeleteApi", json!({"ApiId": "a"}));
    control.ok("CreateDomainName", domain("api.example.com"));
    assert_eq!(control.ok("GetApiMappings", json!({"DomainName": "api.example.com"})), json!({"Items": []}));
}
