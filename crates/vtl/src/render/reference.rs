//! References: their value, how they print, and assigning to them.

use super::Renderer;
use crate::ast::{Expr, Reference, Step};
use crate::error::RenderError;
use crate::heap::MapKind;
use crate::symbols::Symbol;
use crate::template::Dialect;
use crate::value::{Key, Object, Value};

impl Renderer<'_> {
    /// The value of a reference; where there is none, the dialect's idea of nothing.
    pub(crate) fn reference(&mut self, reference: &Reference) -> Result<Value, RenderError> {
        let found = self.walk(reference, reference.steps.len())?;
        if found.is_null() && self.dialect() == Dialect::ApiGateway {
            return Ok(Value::str(""));
        }
        Ok(found)
    }

    /// Follows the first `count` steps of a reference.
    fn walk(&mut self, reference: &Reference, count: usize) -> Result<Value, RenderError> {
        let steps = &reference.steps[..count];
        let (mut value, taken) = match self.unopened_context(reference, steps)? {
            Some(found) => found,
            None => (self.variable(reference.root)?, 0),
        };
        for step in &steps[taken..] {
            if value.is_null() {
                return Ok(value);
            }
            self.meter.step()?;
            self.enter()?;
            value = self.step(value, step).map_err(|error| error.within(&reference.source))?;
            self.depth -= 1;
        }
        Ok(value)
    }

    /// A member of `$context`, as long as the template has not asked for all of it.
    fn unopened_context(
        &mut self,
        reference: &Reference,
        steps: &[Step],
    ) -> Result<Option<(Value, usize)>, RenderError> {
        let unopened = Value::Object(Object::Context);
        if reference.root != Symbol::CONTEXT
            || self.variables[Symbol::CONTEXT.index()] != unopened
            || self.parameter(Symbol::CONTEXT).is_some()
        {
            return Ok(None);
        }
        self.context_member(steps)
    }

    fn step(&mut self, value: Value, step: &Step) -> Result<Value, RenderError> {
        match step {
            Step::Property(name) => self.property(&value, name),
            Step::Method { name, args } => {
                let args = self.arguments(args)?;
                self.invoke(&value, name, &args)
            }
            Step::Index(index) => {
                let index = self.settled(index)?;
                self.index(&value, &index)
            }
        }
    }

    fn arguments(&mut self, args: &[Expr]) -> Result<Vec<Value>, RenderError> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.settled(arg)?);
        }
        Ok(values)
    }

    /// Prints a reference that stands in text, behind so many backslashes: an odd one escapes it.
    pub(super) fn print_reference(
        &mut self,
        reference: &Reference,
        backslashes: usize,
    ) -> Result<(), RenderError> {
        let value = self.reference(reference)?;
        if value.is_null() {
            self.write_backslashes(if backslashes % 2 == 1 { backslashes / 2 + 1 } else { backslashes })?;
            if reference.quiet && backslashes.is_multiple_of(2) {
                return Ok(());
            }
            let source = self.source_of(reference);
            return self.write(&source);
        }
        self.write_backslashes(backslashes / 2)?;
        let prints_itself = matches!(&value, Value::Define(define) if self.is_circular(define));
        if backslashes % 2 == 1 || prints_itself {
            return self.write(&reference.source);
        }
        self.write_value(&value)
    }

    fn write_backslashes(&mut self, count: usize) -> Result<(), RenderError> {
        if count == 0 { Ok(()) } else { self.write(&"\\".repeat(count)) }
    }

    /// `#set`. Nothing happens where the value is null or there is nothing to assign to; a name in braces is not assigned
    /// to either.
    pub(super) fn set(&mut self, target: &Reference, value: &Expr) -> Result<(), RenderError> {
        let value = self.value(value)?;
        if value.is_null() {
            return Ok(());
        }
        let Some((last, _)) = target.steps.split_last() else {
            if target.is_bare() {
                self.assign(target.root, value);
            }
            return Ok(());
        };
        let owner = self.walk(target, target.steps.len() - 1)?;
        let result = match last {
            Step::Property(name) => self.put(&owner, Value::Str(name.clone()), value),
            Step::Index(index) => {
                let index = self.settled(index)?;
                self.put(&owner, index, value)
            }
            Step::Method { .. } => Ok(()),
        };
        result.map_err(|error| error.within(&target.source))
    }

    /// Assigns to a member of a map or an item of a list.
    fn put(&mut self, owner: &Value, key: Value, value: Value) -> Result<(), RenderError> {
        match (owner, &key) {
            (Value::Map(id), _) => {
                self.put_in_map(*id, key, value)?;
            }
            (Value::List(id), Value::Int(index)) => {
                let items = &mut self.heap.list_mut(*id).items;
                let slot = crate::methods::slot(*index, items.len())?;
                items[slot] = value;
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a member into a map and gives what it held before.
    pub(crate) fn put_in_map(
        &mut self,
        id: crate::heap::MapId,
        key: Value,
        value: Value,
    ) -> Result<Value, RenderError> {
        self.meter.allocate(3 * size_of::<Value>())?;
        let is_override = self.heap.map(id).kind == MapKind::Override;
        if let (true, Value::Str(name)) = (is_override, &key)
            && !self.overridden.insert((id, name.clone()))
        {
            return Err(crate::error::Failure::OverriddenTwice(name.to_string()).into());
        }
        Ok(self.heap.map_mut(id).entries.insert(Key(key), value).unwrap_or(Value::Null))
    }
}
