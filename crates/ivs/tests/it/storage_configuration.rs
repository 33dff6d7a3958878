//! Storage configurations.

use serde_json::{Value as Json, json};

use crate::control::{Control, each};

fn create(control: &Control, id: &str) -> String {
    let input = json!({"name": id, "s3": {"bucketName": "recordings"}, "tags": {"stagedoor:id": id}});
    let created = control.ok("CreateStorageConfiguration", input);
    created["storageConfiguration"]["arn"].as_str().expect("an ARN").to_owned()
}

#[test]
fn a_storage_configuration_shows_everything() {
    let control = Control::new();
    let arn = create(&control, "sc1");
    assert_eq!(arn, "arn:aws:ivs:eu-west-1:123456789012:storage-configuration/sc1");
    let expected = json!({
        "arn": arn, "name": "sc1", "s3": {"bucketName": "recordings"}, "tags": {"stagedoor:id": "sc1"}
    });
    let got = control.ok("GetStorageConfiguration", json!({"arn": arn}));
    assert_eq!(got, json!({"storageConfiguration": expected}));
    let listed = control.ok("ListStorageConfigurations", json!({}));
    assert_eq!(listed, json!({"storageConfigurations": [expected]}));
    let unnamed = control.ok("CreateStorageConfiguration", json!({"s3": {"bucketName": "b-2"}}));
    assert_eq!(unnamed["storageConfiguration"]["name"], "");
}

#[test]
fn five_are_all() {
    let control = Control::new();
    for n in 0..5 {
        control.wait(1);
        create(&control, &n.to_string());
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of storage configurations is 5";
    assert_eq!(control.err("CreateStorageConfiguration", json!({"s3": {"bucketName": "b-2"}})), error);
    let all = control.ok("ListStorageConfigurations", json!({}));
    assert_eq!(
        (each(&all["storageConfigurations"], "name"), &all["nextToken"]),
        (vec!["4", "3", "2", "1", "0"], &Json::Null)
    );
    let first = control.ok("ListStorageConfigurations", json!({"maxResults": 3}));
    let rest = control.ok("ListStorageConfigurations", json!({"nextToken": first["nextToken"]}));
    assert_eq!(each(&rest["storageConfigurations"], "name"), ["1", "0"]);
}

#[test]
fn an_operator_may_allow_more() {
    let mut control = Control::new();
    control.settings.quotas.storage_configurations = 7;
    for n in 0..7 {
        create(&control, &n.to_string());
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of storage configurations is 7";
    assert_eq!(control.err("CreateStorageConfiguration", json!({"s3": {"bucketName": "b-2"}})), error);
    let all = control.ok("ListStorageConfigurations", json!({}));
    assert_eq!(each(&all["storageConfigurations"], "name").len(), 7, "a page is as long as the quota");
}

#[test]
fn it_stays_while_a_stage_records_to_it() {
    let control = Control::new();
    let arn = create(&control, "sc1");
    let stage = control.stage("s1");
    let record = |arn: &str| json!({"arn": stage, "autoParticipantRecordingConfiguration": {"storageConfigurationArn": arn}});
    control.ok("UpdateStage", record(&arn));
    let error = format!("ConflictException 409: Resource: {arn} is in use by {stage}");
    assert_eq!(control.err("DeleteStorageConfiguration", json!({"arn": arn})), error);
    control.ok("UpdateStage", record(""));
    assert_eq!(control.ok("DeleteStorageConfiguration", json!({"arn": arn})), json!({}));
    let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
    assert_eq!(control.err("GetStorageConfiguration", json!({"arn": arn})), error);
    assert_eq!(control.err("DeleteStorageConfiguration", json!({"arn": arn})), error);
    assert_eq!(control.err("UpdateStage", record(&arn)), error);
}
