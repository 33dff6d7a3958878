//! The kinds of SDK that an API can be turned into: `GetSdkType`, `GetSdkTypes`.
//!
//! Not here: `GetSdk`, in `crate::sdk`.

use stagedoor_api::apigateway::{
    GetSdkTypeRequest, GetSdkTypesRequest, SdkConfigurationProperty, SdkType, SdkTypes,
};
use stagedoor_state::{Cx, Result};

use crate::{listing, messages};

/// A property of an SDK: its name, its name for people, and what it means.
type Property = (&'static str, &'static str, &'static str);

const CLASS_PREFIX: Property = ("classPrefix", "Prefix", "The prefix of the names of generated classes");
const SERVICE_NAME: Property = ("service.name", "Service Name", "The name of the generated client");

/// Id, name and required properties of each type.
const TYPES: &[(&str, &str, &[Property])] = &[
    (
        "android",
        "Android",
        &[
            ("groupId", "Group ID", "The Maven group of the generated library"),
            ("artifactId", "Artifact ID", "The Maven artifact of the generated library"),
            ("artifactVersion", "Artifact Version", "The version of the generated library"),
            ("invokerPackage", "Invoker package", "The Java package of the generated library"),
        ],
    ),
    (
        "java",
        "Java SDK",
        &[
            SERVICE_NAME,
            ("java.package-name", "Java Package Name", "The Java package of the generated client"),
            ("java.build-system", "Java Build System", "What builds the generated client: maven or gradle"),
            ("java.group-id", "Java Group Id", "The Maven group of the generated client"),
            ("java.artifact-id", "Java Artifact Id", "The Maven artifact of the generated client"),
            ("java.artifact-version", "Java Artifact Version", "The version of the generated client"),
        ],
    ),
    ("javascript", "JavaScript", &[]),
    ("objectivec", "iOS (Objective-C)", &[CLASS_PREFIX]),
    ("ruby", "Ruby", &[SERVICE_NAME]),
    ("swift", "iOS (Swift)", &[CLASS_PREFIX]),
];

/// `GET /sdktypes/{sdktype_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetSdkType.html>
pub fn get_sdk_type(_: &mut Cx<'_>, input: GetSdkTypeRequest) -> Result<SdkType> {
    all().find(|known| known.id.as_ref() == Some(&input.id)).ok_or_else(messages::no_sdk_type)
}

/// `GET /sdktypes`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetSdkTypes.html>
pub fn get_sdk_types(cx: &mut Cx<'_>, input: GetSdkTypesRequest) -> Result<SdkTypes> {
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |known: &SdkType| known.id.clone().unwrap_or_default();
    let page = listing::page(cx, "sdktypes", all().collect(), order, &wish)?;
    Ok(SdkTypes { items: Some(page.items), position: page.next })
}

/// Whether there is a type of that id.
pub fn is_known(id: &str) -> bool {
    TYPES.iter().any(|(known, _, _)| *known == id)
}

fn all() -> impl Iterator<Item = SdkType> {
    TYPES.iter().map(|(id, name, properties)| SdkType {
        id: Some((*id).to_owned()),
        friendly_name: Some((*name).to_owned()),
        description: Some(format!("A client of the API for {name}")),
        configuration_properties: Some(properties.iter().map(property).collect()),
    })
}

fn property((name, friendly_name, description): &Property) -> SdkConfigurationProperty {
    SdkConfigurationProperty {
        name: Some((*name).to_owned()),
        friendly_name: Some((*friendly_name).to_owned()),
        description: Some((*description).to_owned()),
        required: Some(true),
        default_value: None,
    }
}
