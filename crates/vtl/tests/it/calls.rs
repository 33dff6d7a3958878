//! Every method on every kind of value with any arguments: an answer or an error, never a panic.

use proptest::prelude::*;

use crate::properties::run;

/// The methods that `src/methods` and `src/objects` know, and some that nobody does.
const METHODS: &str = "
    add addAll base64Decode base64Encode body booleanValue byteValue charAt clear clone codePointAt compare
    compareTo compareToIgnoreCase concat contains containsAll containsKey containsValue contentEquals count
    doubleValue endsWith entrySet equals equalsIgnoreCase escapeJavaScript first floatValue format get
    getBody getCount getFirst getHasNext getIndex getKey getLast getOrDefault getParent getTopmost getValue
    hasNext hasPrevious hashCode header index indexOf intValue intern isBlank isEmpty isFirst isInfinite
    isLast isNaN iterator join json keySet keys last lastIndexOf length listIterator logicalAnd logicalOr
    logicalXor longValue matches max min next nextIndex params parent parseBoolean parseDouble parseInt
    parseJson parseLong path previous put putAll putIfAbsent querystring remove removeAll repeat replace
    replaceAll replaceFirst retainAll set setValue shortValue signum size split startsWith strip
    stripLeading stripTrailing subList subSequence substring toArray toBinaryString toCharArray toHexString
    toJSONString toLowerCase toOctalString toString toUpperCase topmost trim urlDecode urlEncode valueOf
    values
";

const VALUES: &[&str] = &[
    "''",
    "'x'",
    "'\u{e9}\u{1F600}'",
    "'a,b,,c'",
    "' 10 '",
    "'-7'",
    "'1e400'",
    "'[a-z]+'",
    "'(a+)+b'",
    "'%s %d %5.2f %x %n %%'",
    "'$1\\'",
    "'k'",
    "0",
    "1",
    "-1",
    "3",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "2.5",
    "1.5e300",
    "true",
    "[]",
    "[3, 'x', $nothing]",
    "[1..3]",
    "{}",
    "{'k': 1, 'l': [1]}",
    "$nothing",
    "$input",
    "$input.params()",
    "$input.path('$')",
    "$input.path('$..b')",
    "$util",
    "$context",
    "$stageVariables",
    "$foreach",
    "$i",
    "'x'.split('x')",
    "[1, 2].iterator()",
    "{'k': 1}.entrySet()",
];

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(METHODS.split_whitespace().collect::<Vec<_>>())
}

fn call() -> impl Strategy<Value = String> {
    (method(), prop::collection::vec(prop::sample::select(VALUES), 0..4))
        .prop_map(|(name, arguments)| format!(".{name}({})", arguments.join(", ")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_calls_end(value in prop::sample::select(VALUES), calls in prop::collection::vec(call(), 1..4), again in call()) {
        let calls = calls.concat();
        run(
            &format!("#foreach($i in [1..2])#set($v = {value})$v{calls} #set($r = $v{calls})$r{again} $v#end"),
            r#"{"a": {"b": [1, 2.5, "x", null]}, "b": "\u00e9"}"#,
        );
    }
}
