//! `#foreach` and `$foreach`.

use super::{Flow, Renderer};
use crate::ast::Foreach;
use crate::error::RenderError;
use crate::heap::LoopId;
use crate::symbols::Symbol;
use crate::value::Value;

/// Names a loop sets; what they held before comes back when it ends.
const LOOP_NAMES: [Symbol; 3] = [Symbol::FOREACH, Symbol::VELOCITY_COUNT, Symbol::VELOCITY_HAS_NEXT];

impl Renderer<'_> {
    pub(super) fn foreach(&mut self, foreach: &Foreach) -> Result<Flow, RenderError> {
        let source = self.value(&foreach.items)?;
        let items = self.items(&source, self.limits.foreach_rounds_max.saturating_add(1))?;
        if items.is_empty() {
            return Ok(Flow::Next);
        }
        let saved = LOOP_NAMES.map(|name| self.variables[name.index()].clone());
        let saved_variable = self.variable(foreach.variable)?;
        let parent = if let Value::Loop(parent) = saved[0] { Some(parent) } else { None };
        self.meter.allocate(size_of::<crate::heap::Loop>())?;
        let id = self.heap.new_loop(parent);
        let flow = self.rounds(foreach, id, &items);
        for (name, value) in LOOP_NAMES.into_iter().zip(saved) {
            self.variables[name.index()] = value;
        }
        self.assign(foreach.variable, saved_variable);
        flow
    }

    fn rounds(&mut self, foreach: &Foreach, id: LoopId, items: &[Value]) -> Result<Flow, RenderError> {
        for (index, item) in items.iter().take(self.limits.foreach_rounds_max).enumerate() {
            let has_next = index + 1 < items.len();
            let state = self.heap.of_loop_mut(id);
            state.index = index;
            state.has_next = has_next;
            self.variables[Symbol::FOREACH.index()] = Value::Loop(id);
            self.variables[Symbol::VELOCITY_COUNT.index()] = Value::integer(index as i64 + 1);
            self.variables[Symbol::VELOCITY_HAS_NEXT.index()] = Value::Bool(has_next);
            self.assign(foreach.variable, item.clone());
            match self.block(&foreach.body)? {
                Flow::Next => {}
                Flow::Break(None) => break,
                Flow::Break(Some(broken)) if broken == id => break,
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    /// At most `count` of the elements that `#foreach` goes through: items of a list, values of a map, the rest of an
    /// iterator. Of anything else there are none.
    fn items(&mut self, source: &Value, count: usize) -> Result<Vec<Value>, RenderError> {
        let items: Vec<Value> = match source {
            Value::List(id) => self.heap.list(*id).items.iter().take(count).cloned().collect(),
            Value::Map(id) => self.heap.map(*id).entries.values().take(count).cloned().collect(),
            Value::Iter(id) => {
                let iter = self.heap.iter_mut(*id);
                let from = iter.next.min(iter.items.len());
                iter.next = iter.items.len();
                iter.items[from..].iter().take(count).cloned().collect()
            }
            _ => Vec::new(),
        };
        self.meter.steps(items.len() as u64)?;
        Ok(items)
    }
}
