//! What a method's request validator asks of a request, compiled from the validator, the method and the API's models.

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway as api;
use stagedoor_state::rest::Snapshot;

use crate::fault::GatewayFault;
use crate::json_schema::Schema;
use crate::mapping::Source;

/// A validator with nothing to ask is not made.
#[derive(Debug, Default)]
pub(crate) struct Validator {
    /// Names and places of what must be there: headers, then path, then query, each in the order of the alphabet.
    pub(crate) required: Vec<(String, Source)>,
    /// Schemas of bodies by media type; a model that cannot be used fails what it would check.
    pub(crate) bodies: BTreeMap<String, Result<Schema, GatewayFault>>,
}

/// The schemas of an API's models by name; those that are no JSON are missing.
pub(crate) struct Models(BTreeMap<String, Value>);

impl Models {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let models = snapshot.models.iter().filter_map(|model| {
            let schema = serde_json::from_str(model.schema.as_deref()?).ok()?;
            Some((model.name.clone()?, schema))
        });
        Self(models.collect())
    }

    /// A model without a schema takes anything.
    fn schema(&self, name: &str) -> Result<Schema, GatewayFault> {
        let find = |name: &str| self.0.get(name);
        let anything = Value::Bool(true);
        Schema::read(self.0.get(name).unwrap_or(&anything), &find)
            .map_err(|error| GatewayFault::Configuration(format!("Invalid model {name}: {error}").into()))
    }
}

/// The validator of a method; `None` if it has none, or one that asks for nothing.
pub(crate) fn of(method: &api::Method, snapshot: &Snapshot, models: &Models) -> Option<Validator> {
    let id = method.request_validator_id.as_deref().filter(|id| !id.is_empty())?;
    let stored = snapshot.request_validators.iter().find(|validator| validator.id.as_deref() == Some(id))?;
    let mut validator = Validator::default();
    if stored.validate_request_parameters == Some(true) {
        let parameters = method.request_parameters.iter().flatten().filter(|(_, required)| **required);
        let named = parameters.filter_map(|(place, _)| {
            let name = place.splitn(4, '.').nth(3)?;
            Some((name.to_owned(), Source::of_request(place).ok()?))
        });
        // The places' own names are in the order that is wanted.
        validator.required = named.collect();
    }
    if stored.validate_request_body == Some(true) {
        let bodies = method.request_models.iter().flatten();
        validator.bodies =
            bodies.map(|(media_type, name)| (media_type.clone(), models.schema(name))).collect();
    }
    Some(validator).filter(|validator| !validator.required.is_empty() || !validator.bodies.is_empty())
}
