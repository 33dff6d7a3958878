//! Pages, which all lists share.

use serde_json::json;

use crate::control::{Control, each, text};

#[test]
fn pages_of_25_unless_asked_otherwise() {
    let control = Control::new();
    for at in 0..30 {
        control.http_api(&format!("api{at:02}"));
        control.wait(1);
    }
    let first = control.ok("GetApis", json!({}));
    let second = control.ok("GetApis", json!({"NextToken": first["NextToken"]}));
    let mut all = each(&first, "ApiId");
    assert_eq!(all.len(), 25);
    all.extend(each(&second, "ApiId"));
    let expected: Vec<String> = (0..30).map(|at| format!("api{at:02}")).collect();
    assert_eq!(all, expected, "oldest first");
    assert_eq!(second.get("NextToken"), None);
    assert_eq!(
        control.ok("GetApis", json!({"MaxResults": "500"}))["Items"].as_array().map(Vec::len),
        Some(30)
    );
}

#[test]
fn refused() {
    let control = Control::new();
    control.http_api("a");
    control.http_api("b");
    for api in ["a", "b"] {
        control.route(api, "GET /1");
        control.route(api, "GET /2");
    }
    let token = text(&control.ok("GetRoutes", json!({"ApiId": "a", "MaxResults": "1"}))["NextToken"]);
    let bad_token = "BadRequestException 400: Invalid nextToken specified";
    for (operation, input) in [
        ("GetRoutes", json!({"ApiId": "b", "NextToken": token})),
        ("GetIntegrations", json!({"ApiId": "a", "NextToken": token})),
        ("GetRoutes", json!({"ApiId": "a", "NextToken": "made-up"})),
    ] {
        assert_eq!(control.err(operation, input), bad_token);
    }
    for size in ["0", "501", "x"] {
        let message = control.err("GetApis", json!({"MaxResults": size}));
        assert!(message.starts_with("BadRequestException 400: Invalid maxResults"), "{message}");
    }
}
