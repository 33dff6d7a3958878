//! What a service model says, as data that can stand in a `static`.
//!
//! The words are those of the AWS service models (botocore's JSON and Smithy): operation, shape, member,
//! location, trait. One engine (`wire`) interprets these tables in both directions.

use std::sync::OnceLock;

/// One AWS service.
#[derive(Debug)]
pub struct Service {
    /// The SDK and CLI name: `apigateway`, `apigatewayv2`, `apigatewaymanagementapi`, `ivs-realtime`.
    pub name: &'static str,
    /// The service part of a SigV4 credential scope: `apigateway`, `execute-api`, `ivs`.
    pub signing_name: &'static str,
    /// The model's version, a date.
    pub api_version: &'static str,
    /// All operations, ordered by name.
    pub operations: &'static [Operation],
}

impl Service {
    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        Some(&self.operations[at])
    }
}

/// One operation and its HTTP binding.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// HTTP method, upper case.
    pub method: &'static str,
    /// URI template, e.g. `/restapis/{restapi_id}`; a literal query (`?mode=import`) is in [`Self::query`].
    pub path: &'static str,
    /// Literal query parameters which the request must carry.
    pub query: &'static [(&'static str, &'static str)],
    /// HTTP status of success.
    pub status: u16,
    pub input: &'static ShapeTable,
    pub output: Option<&'static ShapeTable>,
    /// Error shapes that the model names for this operation.
    pub errors: &'static [&'static str],
    /// The operation changes nothing.
    pub readonly: bool,
    /// How clients page through the answers, if they come in pages.
    pub paginator: Option<Paginator>,
}

/// Where an operation's pages carry what leads from one to the next. All names are members of input and output.
#[derive(Debug)]
pub struct Paginator {
    /// Input member that takes the token.
    pub input_token: &'static str,
    /// Output member that gives the next token; absent or empty on the last page.
    pub output_token: &'static str,
    /// Input member that limits the items of a page.
    pub limit_key: &'static str,
    /// Output member whose items all pages together make up.
    pub result_key: &'static str,
    /// Output members that every page repeats.
    pub once: &'static [&'static str],
}

/// One shape: a type with its constraints.
#[derive(Debug)]
pub struct ShapeTable {
    pub name: &'static str,
    pub kind: Kind,
    pub constraint: Constraint,
}

/// What a shape is made of.
#[derive(Debug)]
pub enum Kind {
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    String,
    Timestamp(TimeFormat),
    Blob,
    List(&'static ShapeTable),
    /// Values of a map; keys are strings checked against `key`. `sparse` maps may hold null values.
    Map {
        key: &'static ShapeTable,
        value: &'static ShapeTable,
        sparse: bool,
    },
    Structure {
        members: &'static [Member],
        payload: Option<&'static str>,
    },
}

/// How a timestamp stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970-01-01 UTC as a JSON number.
    EpochSeconds,
    /// `2024-01-01T00:00:00Z`.
    Iso8601,
}

/// One member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Name in the model, which is the name in SDKs: `restApiId`.
    pub name: &'static str,
    /// Name on the wire (`locationName`): `restapi_id`.
    pub wire: &'static str,
    pub location: Location,
    pub shape: &'static ShapeTable,
    pub required: bool,
    /// Clients fill it with a random UUID if it is not given.
    pub idempotency_token: bool,
}

/// Where a member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Body,
    Uri,
    Query,
    Header,
}

/// Traits that narrow a shape. Absent means unrestricted.
#[derive(Debug)]
pub struct Constraint {
    /// Smallest length, count or number.
    pub min: Option<i64>,
    /// Largest length, count or number.
    pub max: Option<i64>,
    /// Regular expression that a string must match as a whole.
    pub pattern: Option<Pattern>,
    /// Allowed strings, in the order in which AWS's messages print them.
    pub values: &'static [&'static str],
    /// Never log or echo a value of this shape.
    pub sensitive: bool,
}

impl Constraint {
    /// No restriction.
    pub const NONE: Self = Self { min: None, max: None, pattern: None, values: &[], sensitive: false };
}

/// A pattern of the model, compiled at first use.
#[derive(Debug)]
pub struct Pattern {
    /// As the model writes it, which is how error messages print it.
    pub source: &'static str,
    compiled: OnceLock<regex::Regex>,
}

impl Pattern {
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// Whether the whole of `text` matches, as Java's `String.matches` decides it.
    pub fn matches(&self, text: &str) -> bool {
        let compile = || regex::Regex::new(&format!("^(?:{})$", self.source));
        self.compiled.get_or_init(|| compile().expect("a test compiles every pattern")).is_match(text)
    }
}

// === Constructors, so that a generated table reads like the model ===

impl Operation {
    /// An operation as the model introduces it; the methods below add what it has besides.
    pub(crate) const fn new(
        name: &'static str,
        method: &'static str,
        path: &'static str,
        status: u16,
        input: &'static ShapeTable,
    ) -> Self {
        Self {
            name,
            method,
            path,
            query: &[],
            status,
            input,
            output: None,
            errors: &[],
            readonly: false,
            paginator: None,
        }
    }

    pub(crate) const fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    pub(crate) const fn output(self, output: &'static ShapeTable) -> Self {
        Self { output: Some(output), ..self }
    }

    pub(crate) const fn errors(self, errors: &'static [&'static str]) -> Self {
        Self { errors, ..self }
    }

    pub(crate) const fn readonly(self) -> Self {
        Self { readonly: true, ..self }
    }

    pub(crate) const fn pages(self, paginator: Paginator) -> Self {
        Self { paginator: Some(paginator), ..self }
    }
}

impl Member {
    /// A member of the body, which is where most are.
    pub(crate) const fn new(name: &'static str, wire: &'static str, shape: &'static ShapeTable) -> Self {
        Self { name, wire, location: Location::Body, shape, required: false, idempotency_token: false }
    }

    pub(crate) const fn idempotency_token(self) -> Self {
        Self { idempotency_token: true, ..self }
    }

    pub(crate) const fn uri(self) -> Self {
        Self { location: Location::Uri, ..self }
    }

    pub(crate) const fn query(self) -> Self {
        Self { location: Location::Query, ..self }
    }

    pub(crate) const fn header(self) -> Self {
        Self { location: Location::Header, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

impl ShapeTable {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, constraint: Constraint::NONE }
    }

    pub(crate) const fn structure(name: &'static str, members: &'static [Member]) -> Self {
        Self::new(name, Kind::Structure { members, payload: None })
    }
}
