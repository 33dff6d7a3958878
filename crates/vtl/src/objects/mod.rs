//! The objects of a mapping template: `$input`, `$context`, `$stageVariables` and `$util`.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

pub(crate) mod context;
pub(crate) mod input;
pub(crate) mod util;

use indexmap::IndexMap;

use crate::error::RenderError;
use crate::render::Renderer;
use crate::scope::Pairs;
use crate::value::{Key, Object, Value};

impl Renderer<'_> {
    /// The map behind an object that is one.
    pub(crate) fn open_object(&mut self, object: Object) -> Result<Value, RenderError> {
        match object {
            Object::Context => self.context_map(),
            Object::StageVariables => self.map_of(self.scope.stage_variables),
            Object::Input | Object::Util => Ok(Value::Object(object)),
        }
    }

    pub(crate) fn map_of(&mut self, pairs: Pairs<'_>) -> Result<Value, RenderError> {
        let mut map = IndexMap::with_capacity(pairs.len());
        for (name, value) in pairs {
            self.meter.allocate(name.len() + value.len())?;
            map.insert(Key(Value::str(*name)), Value::str(*value));
        }
        self.new_map(map)
    }
}
