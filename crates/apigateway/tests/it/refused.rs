//! References to what is not there, and values out of range. Of these texts AWS is known to say the one about logging
//! and that a VPC link is unknown.

use serde_json::json;

use crate::control::{API, Control, on, op, text};

#[test]
fn a_stage_logs_only_with_a_role_and_names_a_certificate_that_is_there() {
    let control = Control::new();
    let deployment = control.deployed();
    control.ok("CreateStage", json!({"restApiId": API, "stageName": "dev", "deploymentId": deployment}));
    let level = |level: &str| json!([op("replace", "/*/*/logging/loglevel", level)]);
    assert_eq!(
        control.update_stage_err(level("ERROR")),
        "BadRequestException 400: CloudWatch Logs role ARN must be set in account settings to enable logging"
    );
    control.update_stage(level("OFF"));
    control.log_role();
    control.update_stage(level("ERROR"));

    let certificate = |id: &str| json!([op("replace", "/clientCertificateId", id)]);
    assert_eq!(
        control.update_stage_err(certificate("none")),
        "BadRequestException 400: Invalid Client Certificate identifier specified"
    );
    let id = text(&control.ok("GenerateClientCertificate", json!({})), "clientCertificateId");
    assert_eq!(control.update_stage(certificate(&id))["clientCertificateId"], json!(id));
    assert_eq!(control.update_stage(certificate("")).get("clientCertificateId"), None);
}

#[test]
fn an_integration_names_a_vpc_link_that_is_there() {
    let control = Control::new();
    let root = control.api();
    control.method(&root);
    let through = |link: &str| {
        on(
            &root,
            json!({
                "type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://inside.example.com",
                "connectionType": "VPC_LINK", "connectionId": link,
            }),
        )
    };
    let unknown = "BadRequestException 400: Invalid Vpc Link identifier specified";
    assert_eq!(control.err("PutIntegration", through("none")), unknown);
    control.ok("PutIntegration", through("${stageVariables.link}"));
    let update = |link: &str| on(&root, json!({"patchOperations": [op("replace", "/connectionId", link)]}));
    assert_eq!(control.err("UpdateIntegration", update("none")), unknown);
    let target = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/a/b";
    let link = text(&control.ok("CreateVpcLink", json!({"name": "l", "targetArns": [target]})), "id");
    assert_eq!(control.ok("UpdateIntegration", update(&link))["connectionId"], json!(link));
}

#[test]
fn the_offset_of_a_quota_is_a_day_of_its_period() {
    let control = Control::new();
    let plan = |period: &str, offset: i64| json!({"name": "p", "quota": {"limit": 10, "period": period, "offset": offset}});
    for (period, most, rule) in [
        ("DAY", 0, "zero in the DAY period"),
        ("WEEK", 6, "between zero and six inclusive in the WEEK period"),
        ("MONTH", 27, "between zero and 27 inclusive in the MONTH period"),
    ] {
        control.ok("CreateUsagePlan", plan(period, most));
        for offset in [-1, most + 1] {
            assert_eq!(
                control.err("CreateUsagePlan", plan(period, offset)),
                format!("BadRequestException 400: Usage Plan quota offset must be {rule}")
            );
        }
    }
}

#[test]
fn labels_come_and_go_unseen() {
    let control = Control::new();
    let key = control.ok("CreateApiKey", json!({"name": "k"}));
    let update = |operation: &str, value: &str| json!({"apiKey": key["id"], "patchOperations": [op(operation, "/labels", value)]});
    for operation in ["add", "remove"] {
        assert_eq!(control.ok("UpdateApiKey", update(operation, "gold"))["name"], json!("k"));
    }
    assert_eq!(
        control.err("UpdateApiKey", update("replace", "gold")),
        "BadRequestException 400: Invalid patch path  '/labels' specified for op 'replace'. Please choose supported \
         operations"
    );
}
