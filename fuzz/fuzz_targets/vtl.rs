//! Mapping templates, the JSON they read and the paths they read it by: whatever the bytes, parsing and rendering end
//! within their limits and without a panic. A line `===` parts the template, or path, from the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_vtl::jsonpath::Path;
use stagedoor_vtl::{Dialect, Limits, Scope, Template};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (source, body) = text.split_once("\n===\n").unwrap_or((&text, "{}"));
    let limits = Limits {
        output_bytes_max: 100_000,
        steps_max: 100_000,
        memory_bytes_max: 8_000_000,
        ..Limits::default()
    };
    for dialect in [Dialect::ApiGateway, Dialect::Velocity] {
        if let Ok(template) = Template::parse_as(source, dialect)
            && let Ok(rendered) = template.render(&Scope { body, ..Scope::default() }, &limits)
        {
            assert!(rendered.text.len() <= limits.output_bytes_max);
        }
    }
    if let (Ok(path), Ok(document)) = (Path::parse(source), serde_json::from_str(body)) {
        let _ = path.find(&document);
    }
});
