//! The tree of an API's routes: which one serves a method and a path, and what its variables are.
//!
//! Pure, and the same tree for both kinds of API; they differ in how they search it. Paths are matched as they were
//! sent: variables keep their percent encoding.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use http::Method;
use smallvec::SmallVec;

/// The methods that a route serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    Any,
    One(Method),
}

impl Verb {
    /// From `ANY` or the name of a method; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "ANY" {
            return Some(Self::Any);
        }
        Method::from_bytes(text.as_bytes()).ok().map(Self::One)
    }
}

/// How a path with several matching routes chooses among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// REST APIs: at each segment a literal before `{name}` before `{name+}`; a branch that ends without a route for
    /// the method is left again for the next best one.
    LevelByLevel,
    /// HTTP APIs: as above, but any route without `{name+}` before all those with it.
    FullBeforeGreedy,
}

/// The route that serves a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'t, 'p, T> {
    pub route: &'t T,
    /// Names and values of the path's variables, in the order of the path.
    pub variables: Vec<(&'t str, &'p str)>,
}

/// Routes by path, then by method.
#[derive(Debug)]
pub struct Tree<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<Box<str>, usize, RandomState>,
    variable: Option<usize>,
    greedy: Routes<T>,
    here: Routes<T>,
}

/// The routes of one path. The names of variables belong to each route: HTTP APIs let them differ.
#[derive(Debug)]
struct Routes<T>(Vec<(Verb, Route<T>)>);

#[derive(Debug)]
struct Route<T> {
    names: Vec<Box<str>>,
    value: T,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::new()] }
    }
}

impl<T> Node<T> {
    fn new() -> Self {
        Self {
            literals: HashMap::default(),
            variable: None,
            greedy: Routes(Vec::new()),
            here: Routes(Vec::new()),
        }
    }
}

impl<T> Tree<T> {
    /// Adds the route of a path pattern such as `/pets/{id}` or `/{proxy+}`. The first of two equal ones stays.
    pub fn insert(&mut self, pattern: &str, verb: Verb, value: T) {
        let mut names = Vec::new();
        let mut at = 0;
        for segment in pattern.strip_prefix('/').unwrap_or(pattern).split('/') {
            match Part::of(segment) {
                Part::Greedy(name) => {
                    names.push(name.into());
                    self.nodes[at].greedy.0.push((verb, Route { names, value }));
                    return;
                }
                Part::Variable(name) => {
                    names.push(name.into());
                    at = self.variable_below(at);
                }
                Part::Literal("") if pattern == "/" || pattern.is_empty() => {}
                Part::Literal(literal) => at = self.literal_below(at, literal),
            }
        }
        self.nodes[at].here.0.push((verb, Route { names, value }));
    }

    fn literal_below(&mut self, at: usize, literal: &str) -> usize {
        let new = self.nodes.len();
        let below = *self.nodes[at].literals.entry(literal.into()).or_insert(new);
        if below == new {
            self.nodes.push(Node::new());
        }
        below
    }

    fn variable_below(&mut self, at: usize) -> usize {
        let new = self.nodes.len();
        let below = *self.nodes[at].variable.get_or_insert(new);
        if below == new {
            self.nodes.push(Node::new());
        }
        below
    }

    /// The route for this method and path.
    pub fn find<'t, 'p>(
        &'t self,
        search: Search,
        method: &Method,
        path: &'p str,
    ) -> Option<Found<'t, 'p, T>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let rest = Some(path).filter(|path| !path.is_empty());
        match search {
            Search::LevelByLevel => self.walk(method, rest, Ends { full: true, greedy: true }),
            Search::FullBeforeGreedy => self
                .walk(method, rest, Ends { full: true, greedy: false })
                .or_else(|| self.walk(method, rest, Ends { full: false, greedy: true })),
        }
    }

    fn walk<'t, 'p>(
        &'t self,
        method: &Method,
        rest: Option<&'p str>,
        ends: Ends,
    ) -> Option<Found<'t, 'p, T>> {
        let mut values = Values::new();
        let route = self.descend(0, rest, &Wanted { method, ends }, &mut values)?;
        let names = route.names.iter().map(|name| &**name);
        Some(Found { route: &route.value, variables: names.zip(values).collect() })
    }

    /// Visits each node at most once, and only as deep as the tree is: a long path costs no more than a short one.
    fn descend<'t, 'p>(
        &'t self,
        at: usize,
        rest: Option<&'p str>,
        wanted: &Wanted<'_>,
        values: &mut Values<'p>,
    ) -> Option<&'t Route<T>> {
        let node = &self.nodes[at];
        let Some(rest) = rest else {
            return if wanted.ends.full { node.here.serving(wanted.method) } else { None };
        };
        let (segment, below) = match rest.bytes().position(|byte| byte == b'/') {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        if let Some(literal) = node.literal(segment)
            && let Some(route) = self.descend(literal, below, wanted, values)
        {
            return Some(route);
        }
        if let Some(variable) = node.variable.filter(|_| !segment.is_empty()) {
            values.push(segment);
            if let Some(route) = self.descend(variable, below, wanted, values) {
                return Some(route);
            }
            values.pop();
        }
        let route = node.greedy.serving(wanted.method).filter(|_| wanted.ends.greedy && !rest.is_empty())?;
        values.push(rest);
        Some(route)
    }
}

/// The values of a path's variables, as far as they are known.
type Values<'p> = SmallVec<[&'p str; 8]>;

/// Which kinds of route may end a search.
#[derive(Clone, Copy)]
struct Ends {
    full: bool,
    greedy: bool,
}

struct Wanted<'m> {
    method: &'m Method,
    ends: Ends,
}

impl<T> Node<T> {
    fn literal(&self, segment: &str) -> Option<usize> {
        if let Some(&found) = self.literals.get(segment) {
            return Some(found);
        }
        // `%7Euser` is the same segment as `~user`.
        if segment.contains('%') {
            return self.literals.get(&*crate::address::decoded(segment)).copied();
        }
        None
    }
}

impl<T> Routes<T> {
    fn serving(&self, method: &Method) -> Option<&Route<T>> {
        let exact = self.0.iter().find(|(verb, _)| matches!(verb, Verb::One(one) if one == method));
        exact.or_else(|| self.0.iter().find(|(verb, _)| *verb == Verb::Any)).map(|(_, route)| route)
    }
}

enum Part<'a> {
    Literal(&'a str),
    Variable(&'a str),
    Greedy(&'a str),
}

impl<'a> Part<'a> {
    fn of(segment: &'a str) -> Self {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return Self::Literal(segment);
        };
        name.strip_suffix('+').map_or(Self::Variable(name), Self::Greedy)
    }
}

#[cfg(test)]
mod tests;
