//! Whatever the text, parsing and rendering end without a panic.

use proptest::prelude::*;
use stagedoor_vtl::jsonpath::Path;
use stagedoor_vtl::{Dialect, Limits, Params, Scope, Template};

const BODY: &str =
    r#"{"a": {"b": [1, 2.5, "x", null, {"c": "é😀"}]}, "list": [[1], [2, 3]], "s": "a,b,,c", "n": -7}"#;

/// Parts of templates, whole and broken.
const FRAGMENTS: &[&str] = &[
    "#set($a = ",
    "#set($m = {})",
    "#set($l = [])",
    "#set($s = 'a,b')",
    "#if(",
    "#elseif(",
    "#else",
    "#end",
    "#{end}",
    "#foreach($i in ",
    "#foreach($i in $l)",
    "#break",
    "#stop",
    "#macro(m $p)",
    "#m(",
    "#@m(1)",
    "#define($d)",
    "#evaluate(",
    "#evaluate($s)",
    "$a",
    "$!a",
    "${a}",
    "$!{a.b}",
    "$d",
    "$i",
    "$l",
    "$m",
    "$s",
    "$p",
    "$foreach.index",
    "$foreach.parent",
    ".b",
    ".b()",
    ".add(",
    ".put('k', ",
    ".get(",
    "[0]",
    "[-1]",
    "['k']",
    ".substring(",
    ".split(",
    ".replaceAll(",
    ".matches(",
    ".format(",
    ".repeat(",
    ".subList(",
    ".remove(",
    ".iterator()",
    ".next()",
    ".entrySet()",
    ".toString()",
    ".equals(",
    "$input.path('$",
    "$input.json('$..",
    "$input.params(",
    "$input.body",
    "$context.requestOverride",
    "$context",
    "$util.parseJson(",
    "$util.urlDecode(",
    "$util.base64Decode(",
    "$util.escapeJavaScript(",
    "$stageVariables.x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    ",",
    ":",
    "..",
    "1",
    "-1",
    "2147483647",
    "9223372036854775807",
    "1.5e300",
    "0",
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    " == ",
    " != ",
    " < ",
    " && ",
    " || ",
    "!",
    " not ",
    "true",
    "null",
    " in ",
    "\\",
    "\\$a",
    "\\#if",
    "##",
    "#*",
    "*#",
    "#[[",
    "]]#",
    "\n",
    " ",
    "\t",
    "é",
    "😀",
    "text",
    "%s%d%5.2f",
    "[a-z]+(",
    "$1",
];

fn limits() -> Limits {
    Limits {
        foreach_rounds_max: 50,
        output_bytes_max: 100_000,
        steps_max: 50_000,
        memory_bytes_max: 4_000_000,
    }
}

/// Parses and renders in both dialects.
pub(crate) fn run(source: &str, body: &str) {
    for dialect in [Dialect::ApiGateway, Dialect::Velocity] {
        let Ok(template) = Template::parse_as(source, dialect) else { continue };
        let pairs = [("x", "1"), ("y", "é")];
        let scope = Scope {
            body,
            params: Params { path: &pairs, querystring: &pairs, header: &pairs },
            context: None,
            stage_variables: &pairs,
        };
        let limits = limits();
        if let Ok(rendered) = template.render(&scope, &limits) {
            assert!(rendered.text.len() <= limits.output_bytes_max);
        }
    }
}

fn text_of_fragments() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FRAGMENTS), 0..40).prop_map(|parts| parts.concat())
}

/// Templates that parse: statements built from expressions.
fn well_formed() -> impl Strategy<Value = String> {
    let expression = prop::sample::select(
        &[
            "1",
            "-3",
            "2.5",
            "'x'",
            "\"$a-$b\"",
            "$a",
            "$b.c",
            "$l",
            "$m",
            "[1..3]",
            "[$a, $l]",
            "{'k': $m}",
            "$a + $b",
            "$a / 0",
            "$a * 2147483647",
            "$l.size()",
            "$m.keySet()",
            "$s.split(',')",
            "$input.path('$..b')",
            "$i",
            "$p",
            "$foreach.count",
            "$l.add($l)",
            "$m.put('k', $l)",
            "$s.substring(1)",
            "$s.length() % 2",
            "!$a",
            "$a == $b",
        ][..],
    );
    let leaf = expression.clone().prop_map(|expression| match expression.strip_prefix('$') {
        Some(_) if !expression.contains(' ') => expression.to_owned(),
        _ => format!("#set($a = {expression})"),
    });
    let statement = leaf.prop_recursive(4, 40, 4, move |inner| {
        let block = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.join(" "));
        (0..7, expression.clone(), block).prop_map(|(kind, expression, block)| match kind {
            0 => format!("#if({expression}){block}#else{block}#end"),
            1 => format!("#foreach($i in {expression}){block}#end"),
            2 => format!("#macro(m $p){block}#end#m([$a, {expression}])"),
            3 => format!("#define($d){block}#end$d"),
            4 => format!("#set($s = \"{}\")#evaluate($s)", block.replace('"', "\"\"")),
            5 => format!("#foreach($i in [1..3]){block}#break#end"),
            _ => format!("#set($b = {expression}){block}"),
        })
    });
    prop::collection::vec(statement, 1..6).prop_map(|parts| parts.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_template_or_is_not(source in any::<String>(), body in any::<String>()) {
        run(&source, &body);
    }

    #[test]
    fn any_fragments_end(source in text_of_fragments()) {
        run(&source, BODY);
    }

    #[test]
    fn well_formed_templates_end(source in well_formed()) {
        prop_assert!(Template::parse(&source).is_ok(), "{:?} of {}", Template::parse(&source).err(), source);
        run(&source, BODY);
    }

    #[test]
    fn text_without_signs_stays_as_it_is(source in "[^$#\\\\]*") {
        let rendered = Template::parse(&source).unwrap().render(&Scope::default(), &Limits::default()).unwrap();
        prop_assert_eq!(rendered.text, source);
    }

    #[test]
    fn json_comes_back(value in json_value()) {
        let body = value.to_string();
        let template = Template::parse("$input.json('$')").unwrap();
        let rendered = template.render(&Scope { body: &body, ..Scope::default() }, &Limits::default()).unwrap();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&rendered.text).unwrap(), value);
    }

    #[test]
    fn any_text_is_a_path_or_is_not(path in any::<String>(), parts in paths()) {
        let body: serde_json::Value = serde_json::from_str(BODY).unwrap();
        for path in [path, parts] {
            if let Ok(path) = Path::parse(&path) {
                let _ = path.find(&body);
            }
        }
    }

    #[test]
    fn encoding_is_undone_by_decoding(text in any::<String>()) {
        let scope = Scope { body: &text, ..Scope::default() };
        let template = Template::parse(
            "#set($b = $input.body)$util.base64Decode($util.base64Encode($b))|$util.urlDecode($util.urlEncode($b))",
        ).unwrap();
        let rendered = template.render(&scope, &Limits::default()).unwrap().text;
        let want = if text.is_empty() { "{}" } else { &text };
        prop_assert_eq!(rendered, format!("{want}|{want}"));
    }
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    // The text of a scalar is not always what it is as a document: a bare word is a string.
    prop::collection::vec(tree, 0..4).prop_map(Into::into)
}

fn paths() -> impl Strategy<Value = String> {
    let parts = &[
        "$",
        ".a",
        ".b",
        "..",
        "*",
        "[*]",
        "[0]",
        "[-1]",
        "['a']",
        "['a','b']",
        "[0:2]",
        "[?(",
        "@.c",
        " == ",
        "'x'",
        ")]",
        "1",
        " && ",
        "!",
        "(",
        ")",
        " =~ /x.*/i",
        ".length()",
        " in [",
        "]",
        "é",
    ][..];
    prop::collection::vec(prop::sample::select(parts), 0..12).prop_map(|parts| parts.concat())
}
