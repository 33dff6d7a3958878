//! Route responses of WebSocket APIs.

use serde_json::json;

use crate::control::{Control, is_id};

#[test]
fn one_per_route() {
    let control = Control::new();
    control.websocket_api("w");
    let route = control.route("w", "join");
    let create = json!({"ApiId": "w", "RouteId": route, "RouteResponseKey": "$default"});
    let created = control.ok("CreateRouteResponse", create.clone());
    assert!(is_id(&created["RouteResponseId"], 7), "{created}");
    let expected = json!({"RouteResponseId": created["RouteResponseId"], "RouteResponseKey": "$default"});
    assert_eq!(created, expected);
    let list = json!({"ApiId": "w", "RouteId": route});
    assert_eq!(control.ok("GetRouteResponses", list), json!({"Items": [expected]}));

    let taken = "ConflictException 409: RouteResponse with key $default already exists for this Route";
    assert_eq!(control.err("CreateRouteResponse", create), taken);
    let ids = json!({"ApiId": "w", "RouteId": route, "RouteResponseId": created["RouteResponseId"]});
    assert_eq!(control.ok("GetRouteResponse", ids.clone()), expected);
    let mut update = ids.clone();
    update["ResponseModels"] = json!({"a": "m"});
    assert_eq!(control.ok("UpdateRouteResponse", update)["ResponseModels"], json!({"a": "m"}));
    control.ok("DeleteRouteResponse", ids.clone());
    assert!(control.err("GetRouteResponse", ids).starts_with("NotFoundException 404"));
}

#[test]
fn refused() {
    let control = Control::new();
    control.websocket_api("w");
    control.http_api("a");
    let (join, pets) = (control.route("w", "join"), control.route("a", "GET /pets"));
    let other_key = json!({"ApiId": "w", "RouteId": join, "RouteResponseKey": "other"});
    let message = "BadRequestException 400: Currently, only $default is supported as a RouteResponseKey.";
    assert_eq!(control.err("CreateRouteResponse", other_key), message);
    let of_http = json!({"ApiId": "a", "RouteId": pets, "RouteResponseKey": "$default"});
    let message =
        "BadRequestException 400: RouteResponses are currently not supported for this API protocol type.";
    assert_eq!(control.err("CreateRouteResponse", of_http), message);
}
