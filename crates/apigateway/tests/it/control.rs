//! The REST control plane in a test, and sentences that many tests begin with.

use std::ops::Deref;

use serde_json::{Value as Json, json};
use stagedoor_state::rest::ClientCertificate;
use stagedoor_testkit::ControlPlane;
pub(crate) use stagedoor_testkit::control_plane::START;

pub(crate) const ACCOUNT: &str = "111111111111";
/// The id of the API that [`Control::api`] makes.
pub(crate) const API: &str = "api1";

pub(crate) struct Control(ControlPlane);

impl Deref for Control {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.0
    }
}

impl Control {
    /// A control plane with one quota that is not AWS's.
    pub(crate) fn with_quota(name: &str, max: usize) -> Self {
        let mut control = Self::new();
        assert!(control.0.rest_quotas.set(name, max), "{name}");
        control
    }

    pub(crate) fn new() -> Self {
        let plane = ControlPlane::new(stagedoor_apigateway::dispatch, ACCOUNT);
        // Fractions of a second must not show in answers.
        plane.wait_micros(250_000);
        Self(plane)
    }

    // === Frequent sentences ===

    /// Creates the API [`API`]; returns the id of its root resource.
    pub(crate) fn api(&self) -> String {
        let api = self.ok("CreateRestApi", json!({"name": "shop", "tags": {"stagedoor:id": API}}));
        text(&api, "rootResourceId")
    }

    /// Adds a resource to [`API`]; returns its id.
    #[track_caller]
    pub(crate) fn resource(&self, parent: &str, path_part: &str) -> String {
        let input = json!({"restApiId": API, "parentId": parent, "pathPart": path_part});
        text(&self.ok("CreateResource", input), "id")
    }

    /// Gives a resource of [`API`] a `GET` method.
    pub(crate) fn method(&self, resource: &str) {
        self.ok("PutMethod", on(resource, json!({"authorizationType": "NONE"})));
    }

    /// Gives a resource of [`API`] a `GET` method and a `MOCK` integration.
    pub(crate) fn mock(&self, resource: &str) {
        self.method(resource);
        self.ok("PutIntegration", on(resource, json!({"type": "MOCK"})));
    }

    /// Creates [`API`] with something to deploy and deploys it; returns the deployment's id.
    pub(crate) fn deployed(&self) -> String {
        let root = self.api();
        self.mock(&root);
        self.deployment()
    }

    /// Deploys [`API`] once more.
    pub(crate) fn deployment(&self) -> String {
        text(&self.ok("CreateDeployment", json!({"restApiId": API})), "id")
    }

    /// Lets stages log.
    pub(crate) fn log_role(&self) {
        let role = op("replace", "/cloudwatchRoleArn", "arn:aws:iam::111111111111:role/logs");
        self.ok("UpdateAccount", json!({"patchOperations": [role]}));
    }

    /// Puts a client certificate of that id where stages find it.
    pub(crate) fn certificate(&self, id: &str) {
        let certificate =
            ClientCertificate { certificate: Default::default(), private_key_pem: String::new() };
        self.documents(|documents| documents.put(&[id], &certificate));
    }

    /// Creates [`API`], deploys it, and creates the stage `dev`; returns the deployment's id. Stages may log.
    pub(crate) fn staged(&self) -> String {
        self.log_role();
        let deployment = self.deployed();
        self.ok("CreateStage", json!({"restApiId": API, "stageName": "dev", "deploymentId": deployment}));
        deployment
    }

    #[track_caller]
    pub(crate) fn update_stage(&self, operations: Json) -> Json {
        self.ok("UpdateStage", update_stage(operations))
    }

    #[track_caller]
    pub(crate) fn update_stage_err(&self, operations: Json) -> String {
        self.err("UpdateStage", update_stage(operations))
    }

    pub(crate) fn stage(&self) -> Json {
        self.ok("GetStage", json!({"restApiId": API, "stageName": "dev"}))
    }
}

pub(crate) fn update_stage(operations: Json) -> Json {
    json!({"restApiId": API, "stageName": "dev", "patchOperations": operations})
}

/// An input about the `GET` method of a resource of [`API`].
pub(crate) fn on(resource: &str, input: Json) -> Json {
    with(json!({"restApiId": API, "resourceId": resource, "httpMethod": "GET"}), input)
}

/// An object with the members of another over its own.
pub(crate) fn with(mut object: Json, members: Json) -> Json {
    let (Json::Object(object_members), Json::Object(members)) = (&mut object, members) else {
        panic!("both are objects")
    };
    object_members.extend(members);
    object
}

/// An object without a member, which it must have.
#[track_caller]
pub(crate) fn without(mut object: Json, member: &str) -> Json {
    assert!(object.as_object_mut().expect("an object").remove(member).is_some(), "{member} is there");
    object
}

#[track_caller]
pub(crate) fn text(object: &Json, member: &str) -> String {
    object[member].as_str().expect("a string").to_owned()
}

/// The member of that name of each item of a list.
pub(crate) fn each<'a>(list: &'a Json, member: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().expect("a string")).collect()
}

/// A patch operation.
pub(crate) fn op(op: &str, path: &str, value: &str) -> Json {
    json!({"op": op, "path": path, "value": value})
}
