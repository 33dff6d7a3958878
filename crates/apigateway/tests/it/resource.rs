//! Resources: the tree they form, and what it refuses.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, each, on, op, text};

fn create_err(control: &Control, parent: &str, path_part: &str) -> String {
    control.err("CreateResource", json!({"restApiId": API, "parentId": parent, "pathPart": path_part}))
}

fn update(id: &str, operations: Json) -> Json {
    json!({"restApiId": API, "resourceId": id, "patchOperations": operations})
}

fn list(control: &Control) -> Json {
    control.ok("GetResources", json!({"restApiId": API}))["items"].clone()
}

const UNKNOWN: &str = "NotFoundException 404: Invalid Resource identifier specified";

#[test]
fn the_life_of_resources() {
    let control = Control::new();
    let root = control.api();
    let root_item = json!({"id": root, "path": "/"});
    assert_eq!(list(&control), json!([root_item]));
    let pets = control.resource(&root, "pets");
    assert_eq!(pets.len(), 6);
    let shown = json!({"id": pets, "parentId": root, "path": "/pets", "pathPart": "pets"});
    assert_eq!(control.ok("GetResource", json!({"restApiId": API, "resourceId": pets})), shown);
    let sub = control.resource(&pets, "subpets");
    assert_eq!(each(&list(&control), "path"), ["/", "/pets", "/pets/subpets"]);
    let renamed = control.ok("UpdateResource", update(&pets, json!([op("replace", "/pathPart", "dogs")])));
    assert_eq!(renamed, json!({"id": pets, "parentId": root, "path": "/dogs", "pathPart": "dogs"}));
    assert_eq!(
        control.ok("GetResource", json!({"restApiId": API, "resourceId": sub}))["path"],
        "/dogs/subpets"
    );
    control.ok("DeleteResource", json!({"restApiId": API, "resourceId": pets}));
    assert_eq!(list(&control), json!([root_item]));
    assert_eq!(control.err("DeleteResource", json!({"restApiId": API, "resourceId": sub})), UNKNOWN);
}

#[test]
fn variables_and_greedy_variables() {
    let control = Control::new();
    let root = control.api();
    let proxy = control.resource(&root, "{proxy+}");
    let parent = control.resource(&root, "parent");
    let inner = control.resource(&parent, "{proxy+}");
    let child = control.resource(&parent, "child");
    control.resource(&child, "{proxy+}");
    control.ok("DeleteResource", json!({"restApiId": API, "resourceId": inner}));
    let variable = control.resource(&parent, "{child}");
    control.resource(&variable, "{proxy+}");
    let paths = [
        "/",
        "/parent",
        "/parent/child",
        "/parent/child/{proxy+}",
        "/parent/{child}",
        "/parent/{child}/{proxy+}",
        "/{proxy+}",
    ];
    assert_eq!(each(&list(&control), "path"), paths);

    assert_eq!(
        create_err(&control, &root, "{dynamic}"),
        "BadRequestException 400: A sibling ({proxy+}) of this resource already has a variable path part -- only \
         one is allowed"
    );
    for path_part in ["static", "{dynamic}"] {
        assert_eq!(
            create_err(&control, &proxy, path_part),
            "BadRequestException 400: Cannot create a child of a resource with a greedy path variable: {proxy+}"
        );
    }
    assert_eq!(
        control.err("UpdateResource", update(&variable, json!([op("replace", "/pathPart", "{all+}")]))),
        "BadRequestException 400: Cannot create a child of a resource with a greedy path variable: {all+}"
    );
}

#[test]
fn creating_is_refused() {
    let control = Control::new();
    let root = control.api();
    control.resource(&root, "pets");
    assert_eq!(create_err(&control, "wrong", "pets"), UNKNOWN);
    assert_eq!(
        control.err("CreateResource", json!({"restApiId": "wrong", "parentId": root, "pathPart": "a"})),
        UNKNOWN
    );
    assert_eq!(
        create_err(&control, &root, "pets"),
        "ConflictException 409: Another resource with the same parent already has this name: pets"
    );
    assert_eq!(
        create_err(&control, &root, "a/b"),
        "BadRequestException 400: Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning \
         and the end and an optional plus sign before the closing brace."
    );
}

#[test]
fn moving() {
    let control = Control::new();
    let root = control.api();
    let pets = control.resource(&root, "pets");
    let sub = control.resource(&pets, "subpets");
    let deep = control.resource(&sub, "pets");
    let update_err =
        |id: &str, operation: Json| control.err("UpdateResource", update(id, json!([operation])));
    let clash = "ConflictException 409: Another resource with the same parent already has this name: pets";
    assert_eq!(update_err("wrong", op("replace", "/pathPart", "dogs")), UNKNOWN);
    assert_eq!(update_err(&pets, op("replace", "/parentId", "wrong")), UNKNOWN);
    assert_eq!(update_err(&deep, op("replace", "/parentId", &root)), clash);
    for below in [&pets, &sub, &deep] {
        let refusal = update_err(&pets, op("replace", "/parentId", below));
        assert_eq!(refusal, "BadRequestException 400: Resources cannot be cyclical.");
    }
    let moved = control.ok("UpdateResource", update(&sub, json!([op("replace", "/parentId", &root)])));
    assert_eq!(moved, json!({"id": sub, "parentId": root, "path": "/subpets", "pathPart": "subpets"}));
    assert_eq!(update_err(&sub, op("replace", "/pathPart", "pets")), clash);
    assert_eq!(each(&list(&control), "path"), ["/", "/pets", "/subpets", "/subpets/pets"]);
}

#[test]
fn patches_that_no_resource_takes() {
    let control = Control::new();
    let root = control.api();
    let pets = control.resource(&root, "pets");
    let cases = [
        (
            op("replace", "/invalid", "dogs"),
            "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]",
        ),
        (
            op("remove", "/pathPart", "dogs"),
            "Invalid patch path  '/pathPart' specified for op 'remove'. Please choose supported operations",
        ),
        (
            op("add", "/pathPart", "dogs"),
            "Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations",
        ),
    ];
    for (operation, message) in cases {
        let refusal = control.err("UpdateResource", update(&pets, json!([operation])));
        assert_eq!(refusal, format!("BadRequestException 400: {message}"));
    }
    for member in ["pathPart", "parentId"] {
        let operation = op("replace", &format!("/{member}"), &pets);
        assert_eq!(
            control.err("UpdateResource", update(&root, json!([operation]))),
            format!("BadRequestException 400: Root resource cannot update its {member}.")
        );
    }
    // No recording of AWS's answer exists.
    assert_eq!(
        control.err("DeleteResource", json!({"restApiId": API, "resourceId": root})),
        "BadRequestException 400: Root resource cannot be deleted."
    );
}

#[test]
fn methods_are_named_or_embedded() {
    let control = Control::new();
    let root = control.api();
    control.method(&root);
    let get = |embed: Json| {
        control.ok("GetResource", json!({"restApiId": API, "resourceId": root, "embed": embed}))
    };
    let expected = json!({"id": root, "path": "/", "resourceMethods": {"GET": {}}});
    assert_eq!(get(Json::Null), expected);
    assert_eq!(list(&control), json!([expected]));
    let method = control.ok("GetMethod", on(&root, json!({})));
    assert_eq!(get(json!(["methods"]))["resourceMethods"], json!({"GET": method}));
    assert_eq!(text(&method, "authorizationType"), "NONE");
    control.ok("DeleteMethod", on(&root, json!({})));
    assert_eq!(get(Json::Null), json!({"id": root, "path": "/"}));
}
