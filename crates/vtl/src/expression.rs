//! Mapping expressions of HTTP APIs as text: `$request.header.x`, `${request.path.id}-${context.requestId}`,
//! `$response.body.x`. What they are worth is the gateway's to say; that they are well-formed is asked by the control
//! plane too, which refuses others.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>

use http::HeaderName;

use crate::jsonpath::Path;

/// A part of an expression.
#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    Reference(Reference),
}

/// What a part of an expression refers to.
#[derive(Clone, Debug)]
pub enum Reference {
    Header(HeaderName),
    Query(String),
    /// The whole path, without the stage.
    Path,
    PathVariable(String),
    Body,
    BodyPath(Box<Path>),
    Context(String),
    StageVariable(String),
}

/// The message that an expression may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Response,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

/// Reads an expression; there is at least one piece. Text that only looks like a reference is text.
///
/// # Errors
/// References to the other message or to nothing that there is, and a brace that is not closed.
pub fn parse(text: &str, side: Side) -> Result<Vec<Piece>, Invalid> {
    if let Some(name) = text.strip_prefix('$')
        && !name.starts_with('{')
        && let Some(reference) = reference(name, side)?
    {
        return Ok(vec![Piece::Reference(reference)]);
    }
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, tail) = rest.split_at(at);
        literal.push_str(before);
        let (name, after) = tail[2..].split_once('}').ok_or_else(|| invalid(tail))?;
        match reference(name.trim(), side)? {
            Some(reference) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Reference(reference));
                rest = after;
            }
            None => {
                literal.push_str("${");
                rest = &tail[2..];
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn invalid(expression: &str) -> Invalid {
    Invalid(format!("Invalid mapping expression specified: {expression}"))
}

/// `request.header.x` and its like; `None` if it is none of them.
fn reference(name: &str, side: Side) -> Result<Option<Reference>, Invalid> {
    let invalid = || invalid(&format!("${name}"));
    let known = match name.split_once('.') {
        Some(("context", variable)) => Reference::Context(variable_name(variable).ok_or_else(invalid)?),
        Some(("stageVariables", variable)) => {
            Reference::StageVariable(variable_name(variable).ok_or_else(invalid)?)
        }
        Some(("request", place)) if side == Side::Request => request_place(place).ok_or_else(invalid)?,
        Some(("response", place)) if side == Side::Response => match request_place(place) {
            Some(found @ (Reference::Header(_) | Reference::Body | Reference::BodyPath(_))) => found,
            _ => return Err(invalid()),
        },
        Some(("request" | "response", _)) => return Err(invalid()),
        _ => return Ok(None),
    };
    Ok(Some(known))
}

/// Of special characters only the point and the underscore, says the guide; `-` occurs in names of claims.
fn variable_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    (!name.is_empty() && name.chars().all(allowed)).then(|| name.to_owned())
}

fn request_place(place: &str) -> Option<Reference> {
    match place {
        "path" => return Some(Reference::Path),
        "body" => return Some(Reference::Body),
        _ => {}
    }
    if let Some(path) = place.strip_prefix("body").filter(|path| path.starts_with(['.', '['])) {
        // The guide: neither recursive descent nor filters.
        if path.contains("..") || path.contains("?(") {
            return None;
        }
        return Path::parse(&format!("${path}")).ok().map(|path| Reference::BodyPath(Box::new(path)));
    }
    let (kind, name) = place.split_once('.').filter(|(_, name)| !name.is_empty())?;
    match kind {
        "header" => HeaderName::from_bytes(name.as_bytes()).ok().map(Reference::Header),
        "querystring" => Some(Reference::Query(name.to_owned())),
        "path" => Some(Reference::PathVariable(name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_referred_to_is_refused() {
        for (text, side) in [
            ("$request.cookie.x", Side::Request),
            ("$request.header.", Side::Request),
            ("$request.header.a b", Side::Request),
            ("$request.body..name", Side::Request),
            ("$request.body.pets[?(@.kind == 'cat')]", Side::Request),
            ("$response.header.x", Side::Request),
            ("$request.header.x", Side::Response),
            ("$response.path", Side::Response),
            ("$response.querystring.x", Side::Response),
            ("$context.", Side::Request),
            ("a ${request.nothing}", Side::Request),
            ("$request.header", Side::Request),
            ("$request.body.a[", Side::Request),
            ("${", Side::Request),
            ("a ${request.path.id", Side::Request),
            ("${request.path.id}${context.requestId", Side::Request),
        ] {
            assert!(parse(text, side).is_err(), "{text}");
        }
        assert!(parse("$response.header.x", Side::Response).is_ok());
    }
}
