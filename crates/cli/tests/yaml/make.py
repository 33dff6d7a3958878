"""Writes cases.json: values, and what PyYAML makes of them. Run it where PyYAML is installed (the AWS CLI brings it)."""

import json
import pathlib

import yaml

WORDS = [
    "", " ", "a", "a b", " a", "a ", "~", "null", "yes", "No", "on", "true", "False", "=", "<<", "0", "012", "1_000", "0x1f",
    "1.5", "1e5", "1.5e+3", ".inf", ".5", "1:30", "000000000000", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00+00:00",
    "2024-1-1 0:00:00", "-", "- a", "-a", "--- a", "...", "a: b", "a:b", ":", "a:", "a #b", "a#b", "#a", "?", "? a", "?a", "[a", "{a}",
    "a,b", "*a", "&a", "!a", "|", ">", "'a'", "it's", '"a"', "%a", "@a", "`a", "arn:aws:ivs:us-east-1:000000000000:stage/abc",
    "line\nfeed", "line\n\nfeed", "line\n", "\nline", "a \nb", "a\n b", "tab\there", "bell\x07", "\\", "ä", "日本", "😀", "\ufeff", "\x85", "\u2028",
    "word " * 30, "'quoted' " * 20, "tab\t" * 40, "x" * 200, "x" * 90 + " y", "a  b " * 30, "# " + "word " * 30, "né\x01" * 50 + " end of it",
]
VALUES = [*WORDS, None, True, False, 0, -3, 1.5, 1e20, 1e-7, [], {"a": {}}, {"a": []}]
VALUES += [
    {"b": 1, "a": [1, "2", None], "c": {"d": {"e": "f"}}},
    [{"a": 1, "b": [{"c": 2}, {"d": []}]}, {}, [], [1, [2, 3], []], "x"],
    {"key with: colon": 1, "yes": 2, "long " * 10: "word " * 30, "nested": {"text": "word " * 30, "list": ["word " * 30]}},
    [["word " * 30]],
]

cases = [{"value": value, "yaml": yaml.safe_dump(value, allow_unicode=True, default_flow_style=False)} for value in VALUES]
path = pathlib.Path(__file__).with_name("cases.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
