//! Definitions that are imported as REST APIs and as HTTP APIs: refused, or imported and then exported again; never an
//! internal failure.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use stagedoor_testkit::ControlPlane;

const ACCOUNT: &str = "123456789012";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let rest = ControlPlane::new(stagedoor_apigateway::dispatch, ACCOUNT);
    let body = STANDARD.encode(text);
    match rest.call("ImportRestApi", json!({ "body": body })) {
        Ok(api) => {
            let stage = json!({"restApiId": api["id"], "stageName": "s"});
            if rest.call("CreateDeployment", stage.clone()).is_ok() {
                let mut export = stage;
                export["exportType"] = "oas30".into();
                rest.ok("GetExport", export);
            }
        }
        Err(fault) => assert!((400..500).contains(&fault.status), "{fault}"),
    }
    let http = ControlPlane::new(stagedoor_apigatewayv2::dispatch, ACCOUNT);
    match http.call("ImportApi", json!({ "Body": text })) {
        Ok(api) => {
            let export = json!({"ApiId": api["ApiId"], "Specification": "OAS30", "OutputType": "YAML"});
            http.ok("ExportApi", export);
        }
        Err(fault) => assert!((400..500).contains(&fault.status), "{fault}"),
    }
});
