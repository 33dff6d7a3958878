//! Looking variables up and assigning them, through the parameters of the macros under way.

use super::Renderer;
use super::macros::Binding;
use crate::error::RenderError;
use crate::symbols::Symbol;
use crate::value::{Object, Value};

impl Renderer<'_> {
    /// The value of a name.
    pub(super) fn variable(&mut self, name: Symbol) -> Result<Value, RenderError> {
        if let Some((frame, slot)) = self.parameter(name) {
            return self.argument(frame, slot);
        }
        match &self.variables[name.index()] {
            Value::Object(object @ (Object::Context | Object::StageVariables)) => {
                let map = self.open_object(*object)?;
                self.variables[name.index()] = map.clone();
                Ok(map)
            }
            value => Ok(value.clone()),
        }
    }

    /// Gives a name a value; a macro's parameter keeps it to itself.
    pub(super) fn assign(&mut self, name: Symbol, value: Value) {
        if let Some((frame, slot)) = self.parameter(name) {
            self.frames[frame].bindings[slot].1 = Binding::Value(value);
        } else {
            self.variables[name.index()] = value;
        }
    }

    /// The innermost macro call that has the name as a parameter, and which.
    pub(super) fn parameter(&self, name: Symbol) -> Option<(usize, usize)> {
        let mut frame = self.frame;
        while let Some(index) = frame {
            let found = self.frames[index].bindings.iter().position(|(param, _)| *param == name);
            if let Some(slot) = found {
                return Some((index, slot));
            }
            frame = self.frames[index].caller;
        }
        None
    }
}
