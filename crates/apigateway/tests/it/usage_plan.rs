//! Usage plans, their keys, and what keys used: shapes and texts as recorded.

use serde_json::{Value as Json, json};
use stagedoor_state::rest::usage::{Day, KeyUsage};

use crate::control::{API, Control, each, op, text, with, without};

/// A control plane with the stage `dev` of [`API`] and a plan for it, and the plan's id.
fn prepared() -> (Control, String) {
    let control = Control::new();
    control.staged();
    let plan = json!({"name": "p", "description": "d", "apiStages": [{"apiId": API, "stage": "dev"}]});
    let id = text(&control.ok("CreateUsagePlan", plan), "id");
    (control, id)
}

fn patch(id: &str, operations: Json) -> Json {
    json!({"usagePlanId": id, "patchOperations": operations})
}

#[test]
fn the_life_of_a_plan() {
    let (control, id) = prepared();
    let plain =
        json!({"id": id, "name": "p", "description": "d", "apiStages": [{"apiId": API, "stage": "dev"}]});
    let shown = with(plain.clone(), json!({"tags": {}}));
    assert_eq!(control.ok("GetUsagePlan", json!({"usagePlanId": id})), shown);
    assert_eq!(control.ok("GetUsagePlans", json!({})), json!({"items": [plain]}));
    let operations = json!([
        op("replace", "/throttle/burstLimit", "100"),
        op("replace", "/throttle/rateLimit", "200"),
        op("replace", "/quota/limit", "5000"),
        op("replace", "/quota/period", "MONTH"),
    ]);
    let limits = json!({
        "quota": {"limit": 5000, "offset": 0, "period": "MONTH"},
        "throttle": {"burstLimit": 100, "rateLimit": 200.0},
    });
    assert_eq!(control.ok("UpdateUsagePlan", patch(&id, operations)), with(shown.clone(), limits));
    let none = json!([op("remove", "/quota", ""), op("remove", "/throttle", "")]);
    assert_eq!(control.ok("UpdateUsagePlan", patch(&id, none)), shown);
    assert_eq!(
        control.err("DeleteUsagePlan", json!({"usagePlanId": id})),
        format!(
            "BadRequestException 400: Cannot delete Usage Plan {id} because there are API Stages associated with it. \
             Please remove all API Stages associated with the plan and try again."
        )
    );
    let empty = json!([op("remove", "/apiStages", "api1:dev")]);
    assert_eq!(control.ok("UpdateUsagePlan", patch(&id, empty))["apiStages"], json!([]));
    assert_eq!(control.ok("DeleteUsagePlan", json!({"usagePlanId": id})), Json::Null);
    for operation in ["GetUsagePlan", "UpdateUsagePlan", "DeleteUsagePlan"] {
        assert_eq!(
            control.err(operation, json!({"usagePlanId": id})),
            "NotFoundException 404: Invalid Usage Plan ID specified"
        );
    }
}

#[test]
fn everything_that_a_new_plan_may_have() {
    let control = Control::new();
    control.staged();
    let plan = json!({
        "name": "p",
        "apiStages": [{"apiId": API, "stage": "dev"}],
        "quota": {"limit": 10, "period": "DAY"},
        "throttle": {"burstLimit": 1, "rateLimit": 2.0},
        "tags": {"tag_key": "tag_value"},
    });
    let created = control.ok("CreateUsagePlan", plan.clone());
    let quota = json!({"limit": 10, "offset": 0, "period": "DAY"});
    assert_eq!(without(created, "id"), with(plan, json!({"quota": quota})));
}

#[test]
fn stages_that_are_not_there() {
    let (control, id) = prepared();
    let cases = [
        (json!({"op": "add", "path": "/apiStages"}), "BadRequestException 400: Invalid API Stage specified".into()),
        (op("add", "/apiStages", "wrong"), "BadRequestException 400: Invalid API Stage specified".into()),
        (
            op("add", "/apiStages", "api1b:dev"),
            format!("NotFoundException 404: Invalid API Stage {{api: api1b, stage: dev}} specified for usageplan {id}"),
        ),
        (
            op("replace", "/nothing", "x"),
            "BadRequestException 400: Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: \
             [/name, /description, /productCode, /apiStages/{}/throttle, /apiStages/{}/throttle/{}/{}/rateLimit, \
             /apiStages/{}/throttle/{}/{}/burstLimit, /throttle/rateLimit, /throttle/burstLimit, /quota/limit, \
             /quota/offset, /quota/period]"
                .into(),
        ),
        (
            op("replace", "/quota/limit", "10"),
            "BadRequestException 400: Invalid Usage Plan quota specified: limit must not be negative, period must \
             be given"
                .into(),
        ),
    ];
    for (operation, expected) in cases {
        assert_eq!(control.err("UpdateUsagePlan", patch(&id, json!([operation]))), expected);
    }
    let blank = json!({"name": "p", "apiStages": [{"apiId": API, "stage": ""}]});
    assert_eq!(
        control.err("CreateUsagePlan", blank),
        "NotFoundException 404: Invalid API Stage {api: %s, stage: %s} specified for usageplan %s"
    );
    control.ok("DeleteStage", json!({"restApiId": API, "stageName": "dev"}));
    assert_eq!(control.ok("GetUsagePlan", json!({"usagePlanId": id}))["apiStages"], json!([]));
}

#[test]
fn methods_have_throttles_of_their_own() {
    let (control, id) = prepared();
    let path = "/apiStages/api1:dev/throttle/~1pets/GET";
    let operations = json!([
        op("add", &format!("{path}/rateLimit"), "1.5"),
        op("replace", &format!("{path}/burstLimit"), "2"),
    ]);
    let plan = control.ok("UpdateUsagePlan", patch(&id, operations));
    let throttle = json!({"/pets/GET": {"burstLimit": 2, "rateLimit": 1.5}});
    assert_eq!(plan["apiStages"], json!([{"apiId": API, "stage": "dev", "throttle": throttle}]));
    let plan = control.ok("UpdateUsagePlan", patch(&id, json!([op("remove", path, "")])));
    assert_eq!(plan["apiStages"], json!([{"apiId": API, "stage": "dev"}]));
}

#[test]
fn keys_of_a_plan() {
    let (control, plan) = prepared();
    let mut keys = Vec::new();
    for name in ["one", "two"] {
        let key = control.ok("CreateApiKey", json!({"name": name}));
        let shown = json!({"id": key["id"], "type": "API_KEY", "name": name, "value": key["value"]});
        let input = json!({"usagePlanId": plan, "keyId": key["id"], "keyType": "API_KEY"});
        assert_eq!(control.ok("CreateUsagePlanKey", input.clone()), shown);
        assert_eq!(control.ok("GetUsagePlanKey", input.clone()), shown);
        assert!(control.err("CreateUsagePlanKey", input).starts_with("ConflictException 409"));
        control.wait(1);
        keys.push(text(&key, "id"));
    }
    let list = |wish: Json| control.ok("GetUsagePlanKeys", wish)["items"].clone();
    assert_eq!(each(&list(json!({"usagePlanId": plan})), "name"), ["two", "one"]);
    assert_eq!(each(&list(json!({"usagePlanId": plan, "nameQuery": "o"})), "name"), ["one"]);
    assert_eq!(list(json!({"usagePlanId": "none"})), json!([]));
    let plans = |key: &str| control.ok("GetUsagePlans", json!({"keyId": key}))["items"].clone();
    assert_eq!(each(&plans(&keys[0]), "id"), [plan.as_str()]);
    assert_eq!(plans("none"), json!([]));
    let other = json!({"name": "q", "apiStages": [{"apiId": API, "stage": "dev"}]});
    let other = text(&control.ok("CreateUsagePlan", other), "id");
    let twice = json!({"usagePlanId": other, "keyId": keys[0], "keyType": "API_KEY"});
    assert!(control.err("CreateUsagePlanKey", twice).starts_with("ConflictException 409"));
    let first = json!({"usagePlanId": plan, "keyId": keys[0]});
    assert_eq!(control.ok("DeleteUsagePlanKey", first.clone()), Json::Null);
    for operation in ["GetUsagePlanKey", "DeleteUsagePlanKey"] {
        assert_eq!(
            control.err(operation, first.clone()),
            "NotFoundException 404: Invalid Usage Plan Key identifier specified"
        );
    }
    control.ok("DeleteApiKey", json!({"apiKey": keys[1]}));
    assert_eq!(list(json!({"usagePlanId": plan})), json!([]));
    let cases = [
        (json!({"usagePlanId": "none"}), "NotFoundException 404: Invalid Usage Plan ID specified"),
        (json!({"keyId": "none"}), "NotFoundException 404: Invalid API Key identifier specified"),
        (
            json!({"keyType": "OTHER"}),
            "BadRequestException 400: Invalid key type specified. Valid options are API_KEY",
        ),
    ];
    for (members, expected) in cases {
        let input = json!({"usagePlanId": plan, "keyId": keys[0], "keyType": "API_KEY"});
        assert_eq!(control.err("CreateUsagePlanKey", with(input, members)), expected);
    }
}

#[test]
fn usage_is_what_was_counted() {
    let (control, plan) = prepared();
    let quota = json!([op("add", "/quota/limit", "10"), op("add", "/quota/period", "MONTH")]);
    control.ok("UpdateUsagePlan", patch(&plan, quota));
    let key = text(&control.ok("CreateApiKey", json!({})), "id");
    control.ok("CreateUsagePlanKey", json!({"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"}));
    let dates = json!({"usagePlanId": plan, "startDate": "2024-01-01", "endDate": "2024-01-03"});
    let shown = |values: Json| with(dates.clone(), json!({"items": {key.clone(): values}}));
    let usage = || control.ok("GetUsage", dates.clone());
    assert_eq!(usage(), shown(json!([[0, 10], [0, 10], [0, 10]])));
    let mut counted = KeyUsage::default();
    for date in ["2024-01-01", "2024-01-02", "2024-01-02"] {
        counted.count(Day::parse(date).expect("a day"));
    }
    control.documents(|documents| documents.put(&[&plan, &key], &counted));
    assert_eq!(usage(), shown(json!([[1, 9], [2, 7], [0, 7]])));
    let input = |value: &str| json!({"usagePlanId": plan, "keyId": key, "patchOperations": [op("replace", "/remaining", value)]});
    control.wait(86_400);
    let today = json!({
        "usagePlanId": plan, "startDate": "2024-01-02", "endDate": "2024-01-02", "items": {key.clone(): [[2, 100]]},
    });
    assert_eq!(control.ok("UpdateUsage", input("100")), today);
    assert_eq!(usage(), shown(json!([[1, 102], [2, 100], [0, 100]])));
    assert_eq!(
        control.err("UpdateUsage", input("many")),
        "BadRequestException 400: Invalid value specified for /remaining: many"
    );
    assert_eq!(control.ok("GetUsage", with(dates.clone(), json!({"keyId": "other"})))["items"], json!({}));
    for end in ["2023-12-31", "2024-03-31", "tomorrow"] {
        let refused = control.err("GetUsage", with(dates.clone(), json!({"endDate": end})));
        assert!(refused.starts_with("BadRequestException 400: Invalid usage dates"), "{refused}");
    }
    control.ok("UpdateUsagePlan", patch(&plan, json!([op("remove", "/quota", "")])));
    assert_eq!(usage(), shown(json!([[1, 0], [2, 0], [0, 0]])));
    assert_eq!(
        control.err("UpdateUsage", input("1")),
        "BadRequestException 400: Usage Plan does not have a quota"
    );
}
