//! Developer portals, the products that they show, and the products' pages and sharing policies.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway as rest;

use crate::control::{Control, REGION, START, each, is_id, text};

fn colors() -> Json {
    json!({
        "AccentColor": "#111111", "BackgroundColor": "#222222", "ErrorValidationColor": "#333333",
        "HeaderColor": "#444444", "NavigationColor": "#555555", "TextColor": "#666666",
    })
}

fn portal() -> Json {
    json!({
        "Authorization": {"None": {}},
        "EndpointConfiguration": {"None": {}},
        "PortalContent": {"DisplayName": "Pets", "Theme": {"CustomColors": colors()}},
    })
}

fn with(mut input: Json, changes: Json) -> Json {
    for (key, value) in changes.as_object().expect("an object") {
        input[key] = value.clone();
    }
    input
}

#[test]
fn a_portal_from_birth_to_death() {
    let control = Control::new();
    let created = control.ok("CreatePortal", portal());
    assert!(is_id(&created["PortalId"], 10), "{created}");
    let id = text(&created["PortalId"]);
    let mut expected = json!({
        "Authorization": {"None": {}},
        "EndpointConfiguration": {
            "PortalDefaultDomainName": format!("p-{id}.apigw-portal.{REGION}.on.aws"),
            "PortalDomainHostedZoneId": "Z2FDTNDATAQYW2",
        },
        "IncludedPortalProductArns": [],
        "LastModified": START,
        "PortalArn": format!("arn:aws:apigateway:{REGION}:123456789012:/portals/{id}"),
        "PortalContent": {"DisplayName": "Pets", "Theme": {"CustomColors": colors()}},
        "PortalId": id,
        "PublishStatus": "DISABLED",
        "Tags": {},
    });
    assert_eq!(created, expected);
    let ids = json!({"PortalId": id});
    assert_eq!(control.ok("GetPortal", ids.clone()), expected);

    control.wait(9);
    let cognito = json!({
        "AppClientId": "app", "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/one",
        "UserPoolDomain": "https://login.example.com",
    });
    let update = with(
        ids.clone(),
        json!({
            "Authorization": {"CognitoConfig": cognito}, "RumAppMonitorName": "monitor",
            "EndpointConfiguration": {"AcmManaged": {"CertificateArn": "arn:aws:acm:x", "DomainName": "dev.example.com"}},
        }),
    );
    expected["Authorization"] = json!({"CognitoConfig": cognito});
    expected["RumAppMonitorName"] = json!("monitor");
    expected["LastModified"] = json!(START + 9.0);
    expected["EndpointConfiguration"]["CertificateArn"] = json!("arn:aws:acm:x");
    expected["EndpointConfiguration"]["DomainName"] = json!("dev.example.com");
    assert_eq!(control.ok("UpdatePortal", update), expected);
    assert_eq!(control.ok("ListPortals", json!({})), json!({"Items": [expected]}));

    assert_eq!(control.ok("DeletePortal", ids.clone()), Json::Null);
    assert_eq!(control.ok("DeletePortal", ids.clone()), Json::Null, "none is no error");
    for operation in ["GetPortal", "UpdatePortal", "PublishPortal", "DisablePortal", "PreviewPortal"] {
        let unknown = "NotFoundException 404: Invalid portal identifier specified";
        assert_eq!(control.err(operation, ids.clone()), unknown, "{operation}");
    }
}

#[test]
fn publishing_is_accepted_and_fails_with_a_reason() {
    let control = Control::new();
    let ids = json!({"PortalId": control.ok("CreatePortal", portal())["PortalId"]});
    let reason = json!({
        "Exception": "PortalHostingUnavailable",
        "Message": "This server stores portals but does not host their web sites",
    });
    assert_eq!(control.ok("PublishPortal", ids.clone()), json!({}));
    let published = control.ok("GetPortal", ids.clone());
    assert_eq!(
        (&published["PublishStatus"], &published["StatusException"]),
        (&json!("PUBLISH_FAILED"), &reason)
    );
    assert_eq!(published.get("LastPublished"), None);

    assert_eq!(control.ok("PreviewPortal", ids.clone()), json!({}));
    let preview = json!({"PreviewStatus": "PREVIEW_FAILED", "StatusException": reason});
    assert_eq!(control.ok("GetPortal", ids.clone())["Preview"], preview);

    assert_eq!(control.ok("DisablePortal", ids.clone()), Json::Null);
    let disabled = control.ok("GetPortal", ids);
    assert_eq!((&disabled["PublishStatus"], disabled.get("StatusException")), (&json!("DISABLED"), None));
}

#[test]
fn refused_portals() {
    let control = Control::new();
    let authorization = "Invalid authorization specified. Expected one of [cognitoConfig, none]";
    let endpoint = "Invalid endpointConfiguration specified. Expected one of [acmManaged, none]";
    let cases = [
        (json!({"Authorization": {}}), authorization),
        (json!({"EndpointConfiguration": {}}), endpoint),
        (
            json!({"IncludedPortalProductArns": ["arn:aws:s3:::a"]}),
            "Invalid portal product ARN specified: arn:aws:s3:::a",
        ),
    ];
    for (changes, message) in cases {
        let refusal = control.err("CreatePortal", with(portal(), changes));
        assert_eq!(refusal, format!("BadRequestException 400: {message}"));
    }
    assert_eq!(control.ok("ListPortals", json!({})), json!({"Items": []}));
}

#[test]
fn a_product_from_birth_to_death() {
    let control = Control::new();
    let created = control.ok("CreatePortalProduct", json!({"DisplayName": "Pets", "Tags": {"a": "b"}}));
    let id = text(&created["PortalProductId"]);
    let arn = format!("arn:aws:apigateway:{REGION}:123456789012:/portalproducts/{id}");
    let mut expected = json!({
        "Description": "", "DisplayName": "Pets", "LastModified": START, "PortalProductArn": arn,
        "PortalProductId": id, "Tags": {"a": "b"},
    });
    assert_eq!(created, expected);
    let ids = json!({"PortalProductId": id});
    assert_eq!(control.ok("GetPortalProduct", ids.clone()), expected);
    control.ok("CreatePortal", with(portal(), json!({"IncludedPortalProductArns": [arn]})));

    let update = with(ids.clone(), json!({"Description": "all", "DisplayOrder": {"ProductPageArns": []}}));
    expected["Description"] = json!("all");
    expected["DisplayOrder"] = json!({"ProductPageArns": []});
    assert_eq!(control.ok("UpdatePortalProduct", update), expected);
    expected.as_object_mut().expect("an object").remove("DisplayOrder");
    assert_eq!(control.ok("ListPortalProducts", json!({})), json!({"Items": [expected]}));
    assert_eq!(
        control.ok("ListPortalProducts", json!({"ResourceOwner": "OTHER_ACCOUNTS"})),
        json!({"Items": []})
    );

    let unknown = "NotFoundException 404: Invalid portal product identifier specified";
    let foreign = with(ids.clone(), json!({"ResourceOwnerAccountId": "999999999999"}));
    assert_eq!(control.err("GetPortalProduct", foreign), unknown);
    assert_eq!(control.ok("DeletePortalProduct", ids.clone()), Json::Null);
    assert_eq!(control.err("GetPortalProduct", ids), unknown);
}

#[test]
fn portals_and_products_have_tags() {
    let control = Control::new();
    let portal = control.ok("CreatePortal", portal())["PortalArn"].clone();
    let product =
        control.ok("CreatePortalProduct", json!({"DisplayName": "Pets"}))["PortalProductArn"].clone();
    for arn in [portal, product] {
        control.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"one": "1", "two": "2"}}));
        control.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["one"]}));
        assert_eq!(control.ok("GetTags", json!({"ResourceArn": arn})), json!({"Tags": {"two": "2"}}));
    }
}

#[test]
fn a_sharing_policy_is_kept_and_deleted() {
    let control = Control::new();
    let ids = json!({"PortalProductId": control.ok("CreatePortalProduct", json!({"DisplayName": "Pets"}))["PortalProductId"]});
    let none = "NotFoundException 404: The portal product has no sharing policy";
    assert_eq!(control.err("GetPortalProductSharingPolicy", ids.clone()), none);
    for bad in ["nothing", "{}", "[]"] {
        let put = with(ids.clone(), json!({"PolicyDocument": bad}));
        let refusal = control.err("PutPortalProductSharingPolicy", put);
        assert_eq!(refusal, "BadRequestException 400: Invalid policy document specified", "{bad}");
    }
    let document = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let put = with(ids.clone(), json!({"PolicyDocument": document}));
    assert_eq!(control.ok("PutPortalProductSharingPolicy", put), json!({}));
    let shown = with(ids.clone(), json!({"PolicyDocument": document}));
    assert_eq!(control.ok("GetPortalProductSharingPolicy", ids.clone()), shown);
    assert_eq!(control.ok("DeletePortalProductSharingPolicy", ids.clone()), Json::Null);
    assert_eq!(control.err("DeletePortalProductSharingPolicy", ids), none);
}

#[test]
fn a_page_from_birth_to_death() {
    let control = Control::new();
    let product = text(&control.ok("CreatePortalProduct", json!({"DisplayName": "Pets"}))["PortalProductId"]);
    let content = json!({"Title": "Welcome", "Body": "# Pets"});
    let created =
        control.ok("CreateProductPage", json!({"PortalProductId": product, "DisplayContent": content}));
    let id = text(&created["ProductPageId"]);
    let arn = format!("arn:aws:apigateway:{REGION}:123456789012:/portalproducts/{product}/productpages/{id}");
    let mut expected =
        json!({"DisplayContent": content, "LastModified": START, "ProductPageArn": arn, "ProductPageId": id});
    assert_eq!(created, expected);
    let ids = json!({"PortalProductId": product, "ProductPageId": id});
    assert_eq!(control.ok("GetProductPage", ids.clone()), expected);

    let other = json!({"Title": "Hello", "Body": "# Animals"});
    expected["DisplayContent"] = other.clone();
    assert_eq!(
        control.ok("UpdateProductPage", with(ids.clone(), json!({"DisplayContent": other}))),
        expected
    );
    let summary =
        json!({"LastModified": START, "PageTitle": "Hello", "ProductPageArn": arn, "ProductPageId": id});
    let list = control.ok("ListProductPages", json!({"PortalProductId": product}));
    assert_eq!(list, json!({"Items": [summary]}));

    assert_eq!(control.ok("DeleteProductPage", ids.clone()), Json::Null);
    let unknown = "NotFoundException 404: Invalid product page identifier specified";
    for operation in ["GetProductPage", "UpdateProductPage", "DeleteProductPage"] {
        assert_eq!(control.err(operation, ids.clone()), unknown, "{operation}");
    }
}

#[test]
fn an_endpoint_page_from_birth_to_death() {
    let control = Control::new();
    control.documents(|documents| {
        documents.put(&["r1"], &rest::RestApi::default())?;
        documents.put(&["r1", "prod"], &rest::Stage::default())
    });
    let product = text(&control.ok("CreatePortalProduct", json!({"DisplayName": "Pets"}))["PortalProductId"]);
    let identifier = |api: &str, stage: &str| json!({"IdentifierParts": {"Method": "GET", "Path": "/pets", "RestApiId": api, "Stage": stage}});
    let page = |identifier: Json| json!({"PortalProductId": product, "RestEndpointIdentifier": identifier});
    let created = control.ok("CreateProductRestEndpointPage", page(identifier("r1", "prod")));
    let id = text(&created["ProductRestEndpointPageId"]);
    let mut expected = json!({
        "DisplayContent": {
            "Endpoint": "http://r1.execute-api.eu-west-1.localhost:4566/prod/pets", "OperationName": "GET /pets",
        },
        "LastModified": START,
        "ProductRestEndpointPageArn": format!(
            "arn:aws:apigateway:{REGION}:123456789012:/portalproducts/{product}/productrestendpointpages/{id}"
        ),
        "ProductRestEndpointPageId": id,
        "RestEndpointIdentifier": identifier("r1", "prod"),
        "Status": "AVAILABLE",
        "TryItState": "ENABLED",
    });
    assert_eq!(created, expected);
    let ids = json!({"PortalProductId": product, "ProductRestEndpointPageId": id});
    let update = with(
        ids.clone(),
        json!({
            "DisplayContent": {"Overrides": {"Body": "All pets", "OperationName": "ListPets"}}, "TryItState": "DISABLED",
        }),
    );
    expected["DisplayContent"]["Body"] = json!("All pets");
    expected["DisplayContent"]["OperationName"] = json!("ListPets");
    expected["TryItState"] = json!("DISABLED");
    assert_eq!(control.ok("UpdateProductRestEndpointPage", update), expected);
    assert_eq!(control.ok("GetProductRestEndpointPage", ids.clone()), expected);
    let raw = control
        .ok("GetProductRestEndpointPage", with(ids.clone(), json!({"IncludeRawDisplayContent": "true"})));
    assert_eq!(raw["RawDisplayContent"], r#"{"body":"All pets","operationName":"ListPets"}"#);
    let list = control.ok("ListProductRestEndpointPages", json!({"PortalProductId": product}));
    assert_eq!(each(&list, "OperationName"), ["ListPets"]);
    let none = with(ids.clone(), json!({"DisplayContent": {"None": {}}}));
    assert_eq!(
        control.ok("UpdateProductRestEndpointPage", none)["DisplayContent"]["OperationName"],
        "GET /pets"
    );

    for (input, message) in [
        (page(identifier("r2", "prod")), "Invalid API identifier specified 123456789012:r2"),
        (page(identifier("r1", "test")), "Invalid stage identifier specified"),
        (page(json!({})), "Invalid restEndpointIdentifier specified. Expected identifierParts"),
        (
            with(page(identifier("r1", "prod")), json!({"DisplayContent": {}})),
            "Invalid displayContent specified. Expected one of [none, overrides]",
        ),
    ] {
        let refusal = control.err("CreateProductRestEndpointPage", input);
        assert_eq!(refusal, format!("BadRequestException 400: {message}"));
    }
    assert_eq!(control.ok("DeleteProductRestEndpointPage", ids.clone()), Json::Null);
    let unknown = "NotFoundException 404: Invalid product REST endpoint page identifier specified";
    assert_eq!(control.err("GetProductRestEndpointPage", ids), unknown);
}
