//! Renders a tree: text, references and directives in order. Expressions, references, macros and loops have files of
//! their own.

mod expression;
mod foreach;
mod macros;
mod reference;
mod variables;

use std::collections::HashSet;
use std::sync::Arc;

use crate::ast::{Block, Define, Macros, Node, Reference};
use crate::error::{Failure, RenderError};
use crate::heap::{Heap, LoopId, MapId};
use crate::limits::{Limits, Meter, RENDER_DEPTH_MAX};
use crate::methods::pattern::Patterns;
use crate::objects::context;
use crate::objects::input::Input;
use crate::parse::Parser;
use crate::print::Printer;
use crate::scope::Scope;
use crate::symbols::{Symbol, Symbols};
use crate::template::{Dialect, Rendered, Template};
use crate::value::{Object, Value};
use macros::Frame;

/// Steps that parsing even the shortest text counts.
const PARSE_STEPS: u64 = 20;

/// Whether rendering goes on behind a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    /// `#break`, of the innermost block or of a loop.
    Break(Option<LoopId>),
    Stop,
}

impl Flow {
    /// What goes on behind a block that a plain `#break` inside it ends.
    fn unless_break(self) -> Flow {
        if self == Flow::Break(None) { Flow::Next } else { self }
    }
}

/// One rendering under way.
pub(crate) struct Renderer<'a> {
    template: &'a Template,
    pub(crate) scope: &'a Scope<'a>,
    limits: &'a Limits,
    pub(crate) heap: Heap,
    pub(crate) meter: Meter,
    out: String,
    depth: usize,
    /// A `#stop` was met where text is made for a value, and ends the rendering from there.
    stopped: bool,
    /// By symbol; what is not there has no value.
    variables: Vec<Value>,
    /// Macro calls under way.
    frames: Vec<Frame>,
    /// The call in whose arguments names are looked up.
    frame: Option<usize>,
    /// `#define`d blocks being rendered.
    defines: Vec<Arc<Define>>,
    pub(crate) input: Input,
    pub(crate) context: Option<context::Maps>,
    /// Members of override maps that this template has set.
    pub(crate) overridden: HashSet<(MapId, Arc<str>)>,
    pub(crate) patterns: Patterns,
    /// Names and macros beyond the template's own, from `#evaluate`.
    evaluated: Option<Box<(Symbols, Macros)>>,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(template: &'a Template, scope: &'a Scope<'a>, limits: &'a Limits) -> Renderer<'a> {
        let mut variables = vec![Value::Null; template.symbols.len()];
        variables[Symbol::INPUT.index()] = Value::Object(Object::Input);
        variables[Symbol::CONTEXT.index()] = Value::Object(Object::Context);
        variables[Symbol::STAGE_VARIABLES.index()] = Value::Object(Object::StageVariables);
        variables[Symbol::UTIL.index()] = Value::Object(Object::Util);
        Renderer {
            template,
            scope,
            limits,
            heap: Heap::default(),
            meter: Meter::new(limits),
            out: String::new(),
            depth: 0,
            stopped: false,
            variables,
            frames: Vec::new(),
            frame: None,
            defines: Vec::new(),
            input: Input::default(),
            context: None,
            overridden: HashSet::new(),
            patterns: Patterns::new(),
            evaluated: None,
        }
    }

    /// Renders the whole template.
    pub(crate) fn finish(mut self) -> Result<Rendered, RenderError> {
        let template = self.template;
        self.block(&template.body)?;
        let overrides = context::overrides(&mut self)?;
        Ok(Rendered { text: self.out, overrides })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.template.dialect
    }

    fn block(&mut self, block: &Block) -> Result<Flow, RenderError> {
        self.enter()?;
        for node in block {
            self.meter.step()?;
            let flow = self.node(node)?;
            let flow = if self.stopped { Flow::Stop } else { flow };
            if flow != Flow::Next {
                self.depth -= 1;
                return Ok(flow);
            }
        }
        self.depth -= 1;
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node) -> Result<Flow, RenderError> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Print { reference, backslashes } => self.print_reference(reference, *backslashes)?,
            Node::Set { target, value } => self.set(target, value)?,
            Node::If { branches, otherwise } => {
                for (condition, block) in branches {
                    if self.condition(condition)? {
                        return self.block(block);
                    }
                }
                return self.block(otherwise);
            }
            Node::Foreach(foreach) => return self.foreach(foreach),
            Node::Break(scope) => return self.break_of(scope.as_ref()),
            Node::Stop => return Ok(Flow::Stop),
            Node::Define { name, body } => self.assign(*name, Value::Define(Arc::clone(body))),
            Node::Call(call) => return self.call_macro(call),
            Node::Evaluate(source) => return self.evaluate_template(source),
        }
        Ok(Flow::Next)
    }

    fn break_of(&mut self, scope: Option<&Reference>) -> Result<Flow, RenderError> {
        let Some(scope) = scope else { return Ok(Flow::Break(None)) };
        match self.reference(scope)? {
            Value::Loop(id) => Ok(Flow::Break(Some(id))),
            _ => Err(RenderError::method("#break takes a loop").within(&scope.source)),
        }
    }

    /// `#evaluate`: the text of a value as a template of its own, over the same variables.
    fn evaluate_template(&mut self, source: &crate::ast::Expr) -> Result<Flow, RenderError> {
        let value = self.value(source)?;
        if value.is_null() {
            return Ok(Flow::Next);
        }
        let source = self.text_of(&value)?;
        self.meter.steps(PARSE_STEPS)?;
        self.meter.allocate(source.len() * 8)?;
        let template = self.template;
        let mut names = self
            .evaluated
            .take()
            .unwrap_or_else(|| Box::new((template.symbols.clone(), template.macros.clone())));
        let parsed = Parser::new(&source, template.dialect, &mut names.0, &mut names.1).template();
        self.variables.resize(names.0.len(), Value::Null);
        self.evaluated = Some(names);
        let flow = self.block(&parsed.map_err(Failure::Evaluate)?)?;
        // `#stop` ends what is evaluated, not the template around it.
        Ok(if flow == Flow::Stop { Flow::Next } else { flow.unless_break() })
    }

    fn macros(&self) -> &Macros {
        self.evaluated.as_ref().map_or(&self.template.macros, |names| &names.1)
    }

    /// Writes text to the output.
    fn write(&mut self, text: &str) -> Result<(), RenderError> {
        if self.stopped {
            return Ok(());
        }
        self.meter.read(text.len())?;
        if self.out.len() + text.len() > self.limits.output_bytes_max {
            return Err(Failure::OutputTooLong.into());
        }
        self.out.push_str(text);
        Ok(())
    }

    /// Writes a value to the output as `toString` has it.
    fn write_value(&mut self, value: &Value) -> Result<(), RenderError> {
        if self.stopped {
            return Ok(());
        }
        if let Value::Define(define) = value {
            return self.print_define(Arc::clone(define));
        }
        let mut printer = Printer {
            heap: &self.heap,
            meter: &mut self.meter,
            out: &mut self.out,
            bytes_max: self.limits.output_bytes_max,
        };
        printer.text(value)
    }

    /// What `render` writes, as a text of its own.
    fn captured(
        &mut self,
        render: impl FnOnce(&mut Self) -> Result<(), RenderError>,
    ) -> Result<Arc<str>, RenderError> {
        let outer = std::mem::take(&mut self.out);
        let done = render(self);
        let inner = std::mem::replace(&mut self.out, outer);
        done?;
        self.meter.allocate(inner.len())?;
        Ok(inner.into())
    }

    /// The value as `toString` has it.
    pub(crate) fn text_of(&mut self, value: &Value) -> Result<Arc<str>, RenderError> {
        if let Value::Str(text) = value {
            return Ok(Arc::clone(text));
        }
        self.captured(|renderer| renderer.write_value(value))
    }

    /// The value as JSON.
    pub(crate) fn json_of(&mut self, value: &Value) -> Result<Arc<str>, RenderError> {
        let mut out = String::new();
        let mut printer = Printer {
            heap: &self.heap,
            meter: &mut self.meter,
            out: &mut out,
            bytes_max: self.limits.output_bytes_max,
        };
        printer.json(value)?;
        self.meter.allocate(out.len())?;
        Ok(out.into())
    }

    fn enter(&mut self) -> Result<(), RenderError> {
        self.depth += 1;
        if self.depth > RENDER_DEPTH_MAX { Err(Failure::TooDeep.into()) } else { Ok(()) }
    }
}
