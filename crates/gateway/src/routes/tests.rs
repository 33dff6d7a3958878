//! Routing as tables of cases, and compared with a matcher too simple to be wrong.

use proptest::prelude::*;

use super::*;

fn tree<'a>(routes: &[&'a str]) -> Tree<&'a str> {
    let mut tree = Tree::default();
    for route in routes {
        let (verb, path) = route.split_once(' ').expect("a test's own route is `VERB /path`");
        tree.insert(path, Verb::parse(verb).expect("a test's own verb"), *route);
    }
    tree
}

/// `expected` is the route and its variables as `name=value`, or `none`.
fn check(search: Search, routes: &[&str], request: &str, expected: &str) {
    let tree = tree(routes);
    let (method, path) = request.split_once(' ').expect("a test's own request");
    let method = Method::from_bytes(method.as_bytes()).expect("a test's own method");
    let found = tree.find(search, &method, path).map(|found| {
        let variables = found.variables.iter().map(|(name, value)| format!(" {name}={value}"));
        std::iter::once((*found.route).to_owned()).chain(variables).collect::<String>()
    });
    assert_eq!(found.as_deref().unwrap_or("none"), expected, "{request} in {routes:?}");
}

fn rest(routes: &[&str], request: &str, expected: &str) {
    check(Search::LevelByLevel, routes, request, expected);
}

fn http(routes: &[&str], request: &str, expected: &str) {
    check(Search::FullBeforeGreedy, routes, request, expected);
}

#[test]
fn literal_then_variable_then_greedy() {
    let routes = ["GET /pets/dog", "GET /pets/{id}", "GET /pets/{rest+}", "GET /{proxy+}", "GET /"];
    rest(&routes, "GET /", "GET /");
    rest(&routes, "GET ", "GET /");
    rest(&routes, "GET /pets/dog", "GET /pets/dog");
    rest(&routes, "GET /pets/cat", "GET /pets/{id} id=cat");
    rest(&routes, "GET /pets/cat/1", "GET /pets/{rest+} rest=cat/1");
    rest(&routes, "GET /pets", "GET /{proxy+} proxy=pets");
    rest(&routes, "GET /else/where", "GET /{proxy+} proxy=else/where");
    rest(&["GET /a"], "GET /", "none");
}

#[test]
fn a_branch_without_the_path_is_left_again() {
    let routes = ["GET /part1", "GET /part1/hardcoded-value", "GET /{param+}"];
    rest(&routes, "GET /part1", "GET /part1");
    rest(&routes, "GET /part1/hardcoded-value", "GET /part1/hardcoded-value");
    rest(&routes, "GET /part1/random-value", "GET /{param+} param=part1/random-value");
    let deep = ["GET /a/b/c", "GET /a/{x}/d", "GET /{y}/b/e", "GET /{z}/{w}/f"];
    rest(&deep, "GET /a/b/c", "GET /a/b/c");
    rest(&deep, "GET /a/b/d", "GET /a/{x}/d x=b");
    rest(&deep, "GET /a/b/e", "GET /{y}/b/e y=a");
    rest(&deep, "GET /a/b/f", "GET /{z}/{w}/f z=a w=b");
    rest(&deep, "GET /a/b/g", "none");
}

#[test]
fn a_branch_without_the_method_is_left_again() {
    let routes = ["POST /test", "OPTIONS /{proxy+}"];
    rest(&routes, "OPTIONS /test", "OPTIONS /{proxy+} proxy=test");
    rest(&routes, "POST /test", "POST /test");
    rest(&routes, "GET /test", "none");
    rest(&["GET /a/{x}", "ANY /{x}/b"], "PUT /a/b", "ANY /{x}/b x=a");
}

#[test]
fn a_verb_beats_any_and_none_implies_another() {
    let routes = ["ANY /a", "GET /a", "GET /b"];
    rest(&routes, "GET /a", "GET /a");
    for method in ["DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] {
        rest(&routes, &format!("{method} /a"), "ANY /a");
    }
    rest(&routes, "HEAD /b", "none");
}

#[test]
fn values_stay_as_they_were_sent() {
    let routes = ["GET /u/{name}", "GET /p/{proxy+}", "GET /~x"];
    rest(&routes, "GET /u/test%2Balias@gmail.com", "GET /u/{name} name=test%2Balias@gmail.com");
    rest(&routes, "GET /p/proxy-value//double-slash", "GET /p/{proxy+} proxy=proxy-value//double-slash");
    rest(&routes, "GET /p//x", "GET /p/{proxy+} proxy=/x");
    rest(&routes, "GET /u/", "none");
    rest(&routes, "GET /u//", "none");
    rest(&routes, "GET /p/", "none");
    rest(&routes, "GET /%7Ex", "GET /~x");
    rest(&routes, "GET /%7ey", "none");
}

#[test]
fn http_apis_prefer_full_matches() {
    // The table of the guide's page "Create routes for HTTP APIs".
    let routes = [
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "POST /test/{x}/end",
        "GET /a/{rest+}",
        "GET /{x}/b",
    ];
    http(&routes, "GET /pets/dog/1", "GET /pets/dog/1");
    http(&routes, "GET /pets/dog/2", "GET /pets/dog/{id} id=2");
    http(&routes, "GET /pets/cat/1", "GET /pets/{proxy+} proxy=cat/1");
    http(&routes, "POST /test/5", "ANY /{proxy+} proxy=test/5");
    http(&routes, "POST /pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1");
    http(&routes, "GET /a/b", "GET /{x}/b x=a");
    rest(&routes, "GET /a/b", "GET /a/{rest+} rest=b");
    http(&routes, "GET /pets/dog/1/", "GET /pets/{proxy+} proxy=dog/1/");
    http(&["GET /pets"], "GET /pets/", "none");
    http(&["ANY /pets/{x}", "GET /pets/{y}"], "GET /pets/1", "GET /pets/{y} y=1");
    http(&["ANY /pets/{x}", "GET /pets/{y}"], "PUT /pets/1", "ANY /pets/{x} x=1");
    http(&["ANY /{proxy+}"], "GET /", "none");
}

// What follows compares the tree with the definition: of all routes that match, the one whose segments are the most
// specific ones, read from the left.

/// 0 literal, 1 variable, 2 greedy for each segment, and whether the route is for ANY.
type Rank = (bool, Vec<u8>, bool);

fn rank(search: Search, route: &str, method: &str, path: &str) -> Option<Rank> {
    let (verb, pattern) = route.split_once(' ')?;
    if verb != "ANY" && verb != method {
        return None;
    }
    let mut segments: Vec<&str> = path[1..].split('/').collect();
    let parts: Vec<&str> = pattern[1..].split('/').collect();
    let mut specific = Vec::new();
    let greedy = parts.last().is_some_and(|part| part.ends_with("+}"));
    if greedy && segments.len() >= parts.len() {
        let rest = segments.split_off(parts.len() - 1).join("/");
        if rest.is_empty() {
            return None;
        }
        segments.push("rest");
    }
    if segments.len() != parts.len() {
        return None;
    }
    for (part, segment) in parts.iter().zip(&segments) {
        specific.push(match *part {
            greedy if greedy.ends_with("+}") => 2,
            variable if variable.starts_with('{') && !segment.is_empty() => 1,
            literal if literal == *segment => 0,
            _ => return None,
        });
    }
    Some((search == Search::FullBeforeGreedy && greedy, specific, verb == "ANY"))
}

fn route() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "c", "{x}"]);
    let verb = prop::sample::select(vec!["GET", "POST", "ANY"]);
    (verb, prop::collection::vec(segment, 1..4), any::<bool>()).prop_map(|(verb, mut segments, greedy)| {
        if greedy {
            segments.push("{g+}");
        }
        format!("{verb} /{}", segments.join("/"))
    })
}

proptest! {
    #[test]
    fn the_tree_agrees_with_the_definition(
        mut routes in prop::collection::vec(route(), 0..10),
        path in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", ""]), 1..6),
        method in prop::sample::select(vec!["GET", "POST", "PUT"]),
    ) {
        routes.sort();
        routes.dedup();
        let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
        let path = format!("/{}", path.join("/"));
        prop_assume!(path != "/");
        for search in [Search::LevelByLevel, Search::FullBeforeGreedy] {
            let tree = tree(&routes);
            let method_wanted = Method::from_bytes(method.as_bytes()).expect("a method");
            let found = tree.find(search, &method_wanted, &path).map(|found| *found.route);
            let best = routes.iter().copied().filter(|route| rank(search, route, method, &path).is_some());
            let best = best.min_by_key(|route| rank(search, route, method, &path));
            prop_assert_eq!(found, best, "{:?}", search);
        }
    }

    #[test]
    fn no_path_makes_it_panic(routes in prop::collection::vec("/[a-z{}+/%]{0,12}", 0..6), path in "\\PC{0,40}") {
        let mut tree = Tree::default();
        for route in &routes {
            tree.insert(route, Verb::Any, ());
        }
        tree.find(Search::LevelByLevel, &Method::GET, &path);
        tree.find(Search::FullBeforeGreedy, &Method::GET, &path);
    }
}
