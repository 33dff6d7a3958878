//! What the gateway hands to a rendering: the payload, the parameters, the context and the stage variables.

use serde_json::{Map, Value};

/// Names with their values, in the order in which a template sees them.
pub type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The request's parameters behind `$input.params()`. Of a name with several values the caller gives the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    pub path: Pairs<'a>,
    pub querystring: Pairs<'a>,
    pub header: Pairs<'a>,
}

/// Everything a template can see. Borrowed: a rendering copies only what the template asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The payload as text, behind `$input.body`, `$input.json` and `$input.path`. Empty means that there is none.
    pub body: &'a str,
    pub params: Params<'a>,
    /// `$context`. Members `requestOverride` and `responseOverride`, if given, are what an earlier template of the same
    /// request has set; they need not exist.
    pub context: Option<&'a Map<String, Value>>,
    pub stage_variables: Pairs<'a>,
}
