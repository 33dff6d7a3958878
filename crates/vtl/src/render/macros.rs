//! Macros and `#define`d blocks.
//!
//! Arguments go by name: each use of a parameter evaluates the argument anew, where the call stands.

use std::sync::Arc;

use super::{Flow, Renderer};
use crate::ast::{Call, Define, Expr, Macro, Reference};
use crate::error::{Failure, RenderError};
use crate::limits::MACRO_DEPTH_MAX;
use crate::symbols::Symbol;
use crate::value::Value;

/// A macro call under way.
pub(super) struct Frame {
    pub(super) bindings: Vec<(Symbol, Binding)>,
    /// The call within which this one was made.
    pub(super) caller: Option<usize>,
    call: Arc<Call>,
}

/// What a parameter stands for.
#[derive(Clone)]
pub(super) enum Binding {
    /// The call's argument of that number.
    Argument(usize),
    Value(Value),
}

/// How often a `#define`d block may be inside itself, as in Velocity 1.7.
const DEFINE_DEPTH_MAX: usize = 2;

impl Renderer<'_> {
    pub(super) fn call_macro(&mut self, call: &Arc<Call>) -> Result<Flow, RenderError> {
        let Some(called) = self.macros().get(&*call.name).map(Arc::clone) else {
            self.write(&call.source)?;
            return Ok(Flow::Next);
        };
        if self.frames.len() >= MACRO_DEPTH_MAX {
            return Err(RenderError::from(Failure::TooDeep).within(&call.source));
        }
        self.frames.push(self.frame_of(&called, call));
        let caller = self.frame.replace(self.frames.len() - 1);
        let flow = self.block(&called.body);
        self.frame = caller;
        self.frames.pop();
        // A break that no loop in the macro has taken ends the macro.
        Ok(flow?.unless_break())
    }

    /// A parameter whose argument is missing is no parameter of this call: its name means what it means outside.
    fn frame_of(&self, called: &Macro, call: &Arc<Call>) -> Frame {
        let numbered = called.params.iter().zip(0..call.args.len());
        let mut bindings: Vec<_> =
            numbered.map(|(param, number)| (*param, Binding::Argument(number))).collect();
        if let Some(body) = &call.body {
            bindings.push((Symbol::BODY_CONTENT, Binding::Value(Value::Define(Arc::clone(body)))));
        }
        Frame { bindings, caller: self.frame, call: Arc::clone(call) }
    }

    /// The value of a macro's parameter.
    pub(super) fn argument(&mut self, frame: usize, slot: usize) -> Result<Value, RenderError> {
        match self.frames[frame].bindings[slot].1.clone() {
            Binding::Value(value) => Ok(value),
            Binding::Argument(number) => {
                let call = Arc::clone(&self.frames[frame].call);
                let caller = self.frames[frame].caller;
                self.enter()?;
                let here = std::mem::replace(&mut self.frame, caller);
                let value = self.value(&call.args[number]);
                self.frame = here;
                self.depth -= 1;
                value
            }
        }
    }

    /// What a reference without a value prints: its source, or for a macro's parameter the source of its argument.
    pub(super) fn source_of(&self, reference: &Reference) -> Arc<str> {
        let mut source: &str = &reference.source;
        let mut name = reference.root;
        let mut bare = reference.is_bare();
        let mut frame = self.frame;
        while let (true, Some(index)) = (bare, frame) {
            let at = &self.frames[index];
            frame = at.caller;
            let Some((_, binding)) = at.bindings.iter().find(|(param, _)| *param == name) else { continue };
            let Binding::Argument(number) = binding else { break };
            let Expr::Reference(argument) = &at.call.args[*number] else { break };
            source = &argument.source;
            name = argument.root;
            bare = argument.is_bare();
        }
        source.into()
    }

    /// Whether a `#define`d block prints itself so deeply that it must not be rendered once more.
    pub(super) fn is_circular(&self, define: &Arc<Define>) -> bool {
        self.defines.iter().filter(|other| Arc::ptr_eq(other, define)).count() >= DEFINE_DEPTH_MAX
    }

    /// Prints what `#define` made.
    pub(super) fn print_define(&mut self, define: Arc<Define>) -> Result<(), RenderError> {
        if self.is_circular(&define) {
            return Ok(());
        }
        self.defines.push(Arc::clone(&define));
        let flow = self.block(&define.body);
        self.defines.pop();
        self.stopped |= flow? == Flow::Stop;
        Ok(())
    }
}
