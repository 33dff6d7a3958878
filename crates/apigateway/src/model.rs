//! Models: the two that every new API has, and whether a name is one of an API's.

use stagedoor_api::apigateway::Model;
use stagedoor_state::{Cx, Result};

use crate::messages;

/// Characters of a model's id.
const ID_LENGTH: usize = 6;

const EMPTY_SCHEMA: &str = r##"{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}"##;

const ERROR_SCHEMA: &str = r##"{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}"##;

/// Stores the models `Empty` and `Error`, which every API has unless it was imported.
pub fn put_defaults(cx: &mut Cx<'_>, api: &str) -> Result<()> {
    for (name, word, schema) in [("Empty", "empty", EMPTY_SCHEMA), ("Error", "error", ERROR_SCHEMA)] {
        let model = Model {
            id: Some(cx.new_id(ID_LENGTH)),
            name: Some(name.to_owned()),
            description: Some(format!("This is a default {word} schema model")),
            content_type: Some("application/json".to_owned()),
            schema: Some(schema.to_owned()),
        };
        cx.put(&[api, name], &model)?;
    }
    Ok(())
}

/// Refuses the first of `names` that is no model of the API.
pub fn check_all<'a>(cx: &mut Cx<'_>, api: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    for name in names {
        if !cx.exists::<Model>(&[api, name])? {
            return Err(messages::bad_model(name));
        }
    }
    Ok(())
}
