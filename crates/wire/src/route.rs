//! Which operation a request is for.

use std::borrow::Cow;
use std::sync::OnceLock;

use stagedoor_auth::percent;
use stagedoor_model::{Operation, SERVICES, Service};

/// An operation and the labels of its URI, decoded.
#[derive(Debug)]
pub struct Routed<'r> {
    pub operation: &'static Operation,
    /// Name in the template and value, e.g. `("restapi_id", "a1b2c3d4e5")`.
    pub labels: Vec<(&'static str, Cow<'r, str>)>,
}

/// Finds the operation for a method, a raw path and a raw query string.
///
/// Of several templates that match, the one with more literal segments wins, then the one that demands a query
/// parameter (`ImportRestApi` is `CreateRestApi` with `?mode=import`).
pub fn route<'r>(service: &'static Service, method: &str, path: &'r str, query: &str) -> Option<Routed<'r>> {
    let segments: Vec<&str> = split(path).collect();
    let candidates = templates(service).iter().filter(|template| {
        template.operation.method == method && template.matches(&segments) && template.asks_for(query)
    });
    let best = candidates.max_by_key(|template| (template.literals(), template.operation.query.len()))?;
    let labels = best.labels(path, &segments)?;
    Some(Routed { operation: best.operation, labels })
}

struct Template {
    operation: &'static Operation,
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// The rest of the path. An ARN is one label, but its slash may arrive unescaped.
    Arn(&'static str),
}

impl Template {
    fn new(operation: &'static Operation) -> Self {
        let segments = split(operation.path).map(|segment| {
            match segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
                Some(label) if label.to_ascii_lowercase().replace(['_', '-'], "") == "resourcearn" => {
                    Segment::Arn(label)
                }
                Some(label) => Segment::Label(label.trim_end_matches('+')),
                None => Segment::Literal(segment),
            }
        });
        Self { operation, segments: segments.collect() }
    }

    fn matches(&self, path: &[&str]) -> bool {
        let ends_in_arn = matches!(self.segments.last(), Some(Segment::Arn(_)));
        let length_fits =
            if ends_in_arn { path.len() >= self.segments.len() } else { path.len() == self.segments.len() };
        length_fits
            && self.segments.iter().zip(path).all(|(segment, part)| match segment {
                Segment::Literal(literal) => literal == part,
                Segment::Label(_) | Segment::Arn(_) => !part.is_empty(),
            })
    }

    fn asks_for(&self, query: &str) -> bool {
        let pairs = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        self.operation.query.iter().all(|wanted| pairs().any(|pair| pair == *wanted))
    }

    fn literals(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count()
    }

    fn labels<'r>(&self, path: &'r str, parts: &[&'r str]) -> Option<Vec<(&'static str, Cow<'r, str>)>> {
        let mut labels = Vec::new();
        for (segment, part) in self.segments.iter().zip(parts) {
            match *segment {
                Segment::Literal(_) => {}
                Segment::Label(label) => labels.push((label, percent::decode(part)?)),
                Segment::Arn(label) => {
                    let rest = part.as_ptr() as usize - path.as_ptr() as usize;
                    labels.push((label, percent::decode(&path[rest..])?));
                }
            }
        }
        Some(labels)
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// The service's templates, made at its first request.
fn templates(service: &'static Service) -> &'static [Template] {
    static TABLES: [OnceLock<Vec<Template>>; SERVICES.len()] = [const { OnceLock::new() }; SERVICES.len()];
    let at = SERVICES.iter().position(|known| std::ptr::eq(*known, service));
    let table = &TABLES[at.expect("every service is in the list")];
    table.get_or_init(|| service.operations.iter().map(Template::new).collect())
}

#[cfg(test)]
mod tests {
    use stagedoor_model::{apigateway, apigatewayv2, ivs_realtime};

    use super::*;

    fn check(service: &'static Service, request: &str, expected: &str) {
        let (method, uri) = request.split_once(' ').expect("method and URI");
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let found = route(service, method, path, query).map_or("none".to_owned(), |routed| {
            let labels: Vec<_> =
                routed.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{}{}", routed.operation.name, labels.concat())
        });
        assert_eq!(found, expected, "{request}");
    }

    #[test]
    fn requests_find_their_operation() {
        let v1 = &apigateway::SERVICE;
        check(v1, "GET /restapis", "GetRestApis");
        check(v1, "POST /restapis", "CreateRestApi");
        check(v1, "POST /restapis?mode=import&failonwarnings=true", "ImportRestApi");
        check(v1, "GET /restapis/a1/stages/prod", "GetStage restapi_id=a1 stage_name=prod");
        check(v1, "GET /restapis/a1/stages/a%20b", "GetStage restapi_id=a1 stage_name=a b");
        check(v1, "GET /restapis/a1/stages/", "none");
        check(v1, "BREW /restapis", "none");
        let arn = "arn:aws:apigateway:us-east-1::/restapis/a1";
        let tags = format!("GetTags resource_arn={arn}");
        check(v1, "GET /tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fa1", &tags);
        check(v1, "GET /tags/arn:aws:apigateway:us-east-1::/restapis/a1", &tags);
        check(
            &apigatewayv2::SERVICE,
            "GET /v2/apis/a1/stages/$default",
            "GetStage apiId=a1 stageName=$default",
        );
        check(&ivs_realtime::SERVICE, "POST /GetStage", "GetStage");
        check(&ivs_realtime::SERVICE, "GET /GetStage", "none");
    }

    /// Every operation's own template leads back to it.
    #[test]
    fn every_operation_is_reachable() {
        for service in SERVICES {
            for operation in service.operations {
                let query = operation.query.iter().map(|(key, value)| format!("{key}={value}"));
                let query = query.collect::<Vec<_>>().join("&");
                let found = route(service, operation.method, operation.path, &query);
                assert_eq!(
                    found.map(|routed| routed.operation.name),
                    Some(operation.name),
                    "{}",
                    service.name
                );
            }
        }
    }
}
