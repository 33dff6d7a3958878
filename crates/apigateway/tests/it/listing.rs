//! Pages of lists.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, each, with};

/// The ids that each page of a list shows.
fn pages(control: &Control, operation: &str, input: &Json) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut position = Json::Null;
    loop {
        let page = control.ok(operation, with(input.clone(), json!({"position": position})));
        pages.push(each(&page["items"], "id").into_iter().map(str::to_owned).collect());
        position = page["position"].clone();
        if position.is_null() {
            return pages;
        }
    }
}

#[test]
fn pages_visit_everything_once() {
    let control = Control::with_quota("vpc-links", 100);
    let root = control.api();
    control.mock(&root);
    let plan = control.ok("CreateUsagePlan", json!({"name": "p"}))["id"].clone();
    for number in 0..30 {
        let schema = json!({"restApiId": API, "name": format!("M{number}"), "contentType": "text/plain", "schema": "x"});
        control.ok("CreateModel", schema);
        control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"}));
        let key = control.ok("CreateApiKey", json!({}))["id"].clone();
        control.ok("CreateUsagePlanKey", json!({"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"}));
        control.ok("CreateUsagePlan", json!({"name": "p"}));
        control.ok("CreateVpcLink", json!({"name": "l", "targetArns": []}));
        let location = json!({"type": "MODEL", "name": format!("M{number}")});
        control.ok(
            "CreateDocumentationPart",
            json!({"restApiId": API, "location": location, "properties": "{}"}),
        );
        control.ok("CreateRestApi", json!({"name": "shop"}));
        control.resource(&root, &format!("r{number}"));
        control.deployment();
    }
    let cases = [
        ("GetRestApis", json!({}), 31),
        ("GetResources", json!({"restApiId": API}), 31),
        ("GetDeployments", json!({"restApiId": API}), 30),
        ("GetModels", json!({"restApiId": API}), 32),
        ("GetRequestValidators", json!({"restApiId": API}), 30),
        ("GetDocumentationParts", json!({"restApiId": API}), 30),
        ("GetApiKeys", json!({}), 30),
        ("GetUsagePlans", json!({}), 31),
        ("GetUsagePlanKeys", json!({"usagePlanId": plan}), 30),
        ("GetVpcLinks", json!({}), 30),
    ];
    for (operation, input, total) in cases {
        let limits = [(Json::Null, 25), (json!(7), 7), (json!(1000), 500), (json!(0), 25), (json!(-1), 25)];
        for (limit, size) in limits {
            let pages = pages(&control, operation, &with(input.clone(), json!({"limit": limit})));
            let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
            assert_eq!(sizes.iter().sum::<usize>(), total, "{operation} {limit}");
            assert!(
                sizes[..sizes.len() - 1].iter().all(|length| *length == size),
                "{operation} {limit} {sizes:?}"
            );
            let mut ids: Vec<_> = pages.concat();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), total, "{operation} {limit}");
        }
    }
}

/// AWS's words for this are not known.
#[test]
fn foreign_positions_are_refused() {
    let control = Control::new();
    control.api();
    control.ok("CreateRestApi", json!({"name": "shop"}));
    let apis = control.ok("GetRestApis", json!({"limit": 1}));
    let refused = "BadRequestException 400: Invalid position parameter specified";
    for position in [json!("nonsense"), apis["position"].clone()] {
        assert_eq!(control.err("GetResources", json!({"restApiId": API, "position": position})), refused);
        assert_eq!(control.err("GetDeployments", json!({"restApiId": API, "position": position})), refused);
    }
    assert_eq!(control.err("GetRestApis", json!({"position": "nonsense"})), refused);
}
