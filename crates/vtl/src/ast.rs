//! A parsed template. Owns the shapes only; `parse` makes them and `render` walks them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::symbols::Symbol;
use crate::value::Value;

pub(crate) type Block = Vec<Node>;

/// Macros by name.
pub(crate) type Macros = HashMap<Arc<str>, Arc<Macro>>;

#[derive(Debug)]
pub(crate) enum Node {
    Text(Box<str>),
    /// A reference whose value is printed, behind so many backslashes.
    Print {
        reference: Reference,
        backslashes: usize,
    },
    Set {
        target: Reference,
        value: Expr,
    },
    If {
        branches: Vec<(Expr, Block)>,
        otherwise: Block,
    },
    Foreach(Box<Foreach>),
    /// Ends the innermost block, or the loop that the reference names.
    Break(Option<Reference>),
    Stop,
    Define {
        name: Symbol,
        body: Arc<Define>,
    },
    Call(Arc<Call>),
    Evaluate(Expr),
}

#[derive(Debug)]
pub(crate) struct Foreach {
    pub(crate) variable: Symbol,
    pub(crate) items: Expr,
    pub(crate) body: Block,
}

/// The body of a `#define`, rendered whenever its variable is printed.
#[derive(Debug)]
pub(crate) struct Define {
    pub(crate) body: Block,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) params: Vec<Symbol>,
    pub(crate) body: Block,
}

/// `#name(args)`, or `#@name(args) body #end`.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Box<str>,
    pub(crate) args: Vec<Expr>,
    pub(crate) body: Option<Arc<Define>>,
    /// As written: printed where no macro has the name.
    pub(crate) source: Box<str>,
}

/// `$root.step.step`.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) root: Symbol,
    pub(crate) steps: Vec<Step>,
    /// `$!`: prints nothing instead of its source where it has no value.
    pub(crate) quiet: bool,
    /// With braces.
    pub(crate) formal: bool,
    /// As written.
    pub(crate) source: Box<str>,
}

impl Reference {
    /// Whether it is written `$name`. Velocity 1.7 assigns to no other spelling of a variable: `#set(${a} = 1)` does
    /// nothing.
    pub(crate) fn is_bare(&self) -> bool {
        self.steps.is_empty() && !self.quiet && !self.formal
    }
}

#[derive(Debug)]
pub(crate) enum Step {
    Property(Arc<str>),
    Method { name: Box<str>, args: Vec<Expr> },
    Index(Expr),
}

#[derive(Debug)]
pub(crate) enum Expr {
    Literal(Value),
    /// A string in double quotes that holds references or directives.
    Interpolated(Block),
    Reference(Box<Reference>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Range(Box<(Expr, Expr)>),
    Not(Box<Expr>),
    Binary(Box<(Expr, Operator, Expr)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Operators of a higher rank bind tighter.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Equal | Operator::NotEqual => 3,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => 4,
            Operator::Add | Operator::Subtract => 5,
            Operator::Multiply | Operator::Divide | Operator::Remainder => 6,
        }
    }
}
