//! The account, SDK types, client certificates, VPC links: what belongs to no API.

use serde_json::{Value as Json, json};
use stagedoor_state::rest::{CacheEpoch, ClientCertificate};

use crate::control::{API, Control, START, each, on, op, text, with, without};

#[test]
fn the_account() {
    let control = Control::new();
    let fresh = json!({
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    });
    assert_eq!(control.ok("GetAccount", json!({})), fresh);
    let update = |operation: Json| json!({"patchOperations": [operation]});
    let role = "arn:aws:iam::111111111111:role/logs";
    let changed = control.ok("UpdateAccount", update(op("replace", "/cloudwatchRoleArn", role)));
    assert_eq!(changed, with(fresh.clone(), json!({"cloudwatchRoleArn": role})));
    assert_eq!(control.ok("GetAccount", json!({})), changed);
    assert_eq!(
        control.err("UpdateAccount", update(op("replace", "/cloudwatchRoleArn", "arn:aws:s3:::x"))),
        "BadRequestException 400: The role ARN does not have required permissions configured. Please grant trust \
         permission for API Gateway and add the required role policy."
    );
    assert!(
        control.err("UpdateAccount", update(op("remove", "/features", "UsagePlans"))).contains("UsagePlans")
    );
    assert_eq!(control.ok("UpdateAccount", update(op("replace", "/cloudwatchRoleArn", ""))), fresh);
}

#[test]
fn sdk_types() {
    let control = Control::new();
    let list = control.ok("GetSdkTypes", json!({}));
    let ids = ["android", "java", "javascript", "objectivec", "ruby", "swift"];
    assert_eq!(each(&list["items"], "id"), ids);
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(control.ok("GetSdkType", json!({"id": id})), list["items"][at]);
    }
    assert_eq!(
        control.err("GetSdkType", json!({"id": "cobol"})),
        "NotFoundException 404: Invalid SDK type identifier specified"
    );
}

#[test]
fn the_life_of_a_client_certificate() {
    let control = Control::new();
    control.staged();
    let created = control.ok("GenerateClientCertificate", json!({"description": "d"}));
    let id = text(&created, "clientCertificateId");
    let pem = text(&created, "pemEncodedCertificate");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("-----END CERTIFICATE-----\n"));
    let year = 365 * 86_400;
    let dates = json!({"createdDate": START as f64, "expirationDate": (START + year) as f64});
    let shown =
        with(json!({"clientCertificateId": id, "description": "d", "pemEncodedCertificate": pem}), dates);
    assert_eq!((id.len(), &created), (6, &shown));
    let stored = control.documents(|documents| documents.get::<ClientCertificate>(&[&id]));
    let key = stored.expect("it is stored").private_key_pem;
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n") && key.len() > 1600);
    let at = |members: Json| with(json!({"clientCertificateId": id}), members);
    let patches = json!({"patchOperations": [op("replace", "/description", "new")]});
    let updated = control.ok("UpdateClientCertificate", at(patches));
    assert_eq!(updated, with(created, json!({"description": "new", "tags": {}})));
    assert_eq!(control.ok("GetClientCertificate", at(json!({}))), updated);
    let list = control.ok("GetClientCertificates", json!({}));
    assert_eq!(list, json!({"items": [without(updated, "tags")]}));
    control.update_stage(json!([op("replace", "/clientCertificateId", &id)]));
    assert_eq!(
        control.err("DeleteClientCertificate", at(json!({}))),
        format!(
            "BadRequestException 400: Cannot delete client certificate '{id}', is referenced in stage: api1/dev"
        )
    );
    control.update_stage(json!([op("replace", "/clientCertificateId", "")]));
    assert_eq!(control.ok("DeleteClientCertificate", at(json!({}))), Json::Null);
    for operation in ["Get", "Update", "Delete"] {
        assert_eq!(
            control.err(&format!("{operation}ClientCertificate"), at(json!({}))),
            "NotFoundException 404: Invalid Client Certificate identifier specified"
        );
    }
}

#[test]
fn the_life_of_a_vpc_link() {
    let control = Control::new();
    let root = control.api();
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/n/1";
    let created = control.ok("CreateVpcLink", json!({"name": "l", "targetArns": [arn]}));
    let id = text(&created, "id");
    let pending = json!({"name": "l", "status": "PENDING", "targetArns": [arn]});
    assert_eq!(without(created, "id"), pending);
    let at = |members: Json| with(json!({"vpcLinkId": id}), members);
    let ready = json!({
        "id": id, "name": "l", "status": "AVAILABLE", "statusMessage": "Your vpc link is ready for use",
        "tags": {}, "targetArns": [arn],
    });
    assert_eq!(control.ok("GetVpcLink", at(json!({}))), ready);
    assert_eq!(control.ok("GetVpcLinks", json!({})), json!({"items": [without(ready.clone(), "tags")]}));
    let patch = |name: &str| at(json!({"patchOperations": [op("replace", "/name", name)]}));
    assert_eq!(control.ok("UpdateVpcLink", patch("new")), with(ready, json!({"name": "new"})));
    let empty = "BadRequestException 400: Name cannot be empty";
    assert_eq!(control.err("UpdateVpcLink", patch("")), empty);
    assert_eq!(control.err("CreateVpcLink", json!({"name": "", "targetArns": [arn]})), empty);
    assert_eq!(
        control.err("CreateVpcLink", json!({"name": "l", "targetArns": ["invalid-arn"]})),
        "BadRequestException 400: Invalid ARN. ARN is not well formed invalid-arn"
    );
    control.method(&root);
    let integration = json!({
        "type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://example.com",
        "connectionType": "VPC_LINK", "connectionId": id,
    });
    control.ok("PutIntegration", on(&root, integration));
    assert_eq!(
        control.err("DeleteVpcLink", at(json!({}))),
        format!(
            "BadRequestException 400: Cannot delete vpc link. Vpc link '{id}', is referenced in [GET:{root}:api1] in \
             format of [Method:Resource:RestApi]."
        )
    );
    control.ok("DeleteMethod", on(&root, json!({})));
    assert_eq!(control.ok("DeleteVpcLink", at(json!({}))), Json::Null);
    for operation in ["GetVpcLink", "UpdateVpcLink", "DeleteVpcLink"] {
        assert_eq!(
            control.err(operation, at(json!({}))),
            "NotFoundException 404: Invalid Vpc Link identifier specified"
        );
    }
}

#[test]
fn flushing_caches_is_counted() {
    let control = Control::new();
    control.staged();
    let epoch = || control.documents(|documents| documents.get::<CacheEpoch>(&[API, "dev"]));
    let stage = json!({"restApiId": API, "stageName": "dev"});
    assert_eq!(epoch(), None);
    assert_eq!(control.ok("FlushStageCache", stage.clone()), Json::Null);
    assert_eq!(control.ok("FlushStageAuthorizersCache", stage.clone()), Json::Null);
    control.ok("FlushStageCache", stage.clone());
    assert_eq!(epoch(), Some(CacheEpoch { responses: 2, authorizers: 1 }));
    control.ok("DeleteStage", stage.clone());
    assert_eq!(epoch(), None);
    for operation in ["FlushStageCache", "FlushStageAuthorizersCache"] {
        assert_eq!(
            control.err(operation, stage.clone()),
            "NotFoundException 404: Invalid Stage identifier specified"
        );
    }
}
