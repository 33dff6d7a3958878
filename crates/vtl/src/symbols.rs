//! Names of variables as small numbers, so that a rendering keeps variables in a vector.

use std::collections::HashMap;
use std::sync::Arc;

/// A variable's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Symbol(u32);

impl Symbol {
    pub(crate) const INPUT: Symbol = Symbol(0);
    pub(crate) const CONTEXT: Symbol = Symbol(1);
    pub(crate) const STAGE_VARIABLES: Symbol = Symbol(2);
    pub(crate) const UTIL: Symbol = Symbol(3);
    pub(crate) const FOREACH: Symbol = Symbol(4);
    pub(crate) const VELOCITY_COUNT: Symbol = Symbol(5);
    pub(crate) const VELOCITY_HAS_NEXT: Symbol = Symbol(6);
    pub(crate) const BODY_CONTENT: Symbol = Symbol(7);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// In the order of the constants above.
const WELL_KNOWN: [&str; 8] = [
    "input",
    "context",
    "stageVariables",
    "util",
    "foreach",
    "velocityCount",
    "velocityHasNext",
    "bodyContent",
];

/// All names that a template mentions, with their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    numbers: HashMap<Arc<str>, Symbol>,
}

impl Symbols {
    pub(crate) fn new() -> Symbols {
        let mut symbols = Symbols { numbers: HashMap::new() };
        for name in WELL_KNOWN {
            symbols.intern(name);
        }
        symbols
    }

    pub(crate) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.numbers.get(name) {
            return *symbol;
        }
        let symbol = Symbol(self.numbers.len() as u32);
        self.numbers.insert(name.into(), symbol);
        symbol
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }
}
