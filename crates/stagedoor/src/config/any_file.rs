//! Whatever stands in `stagedoor.toml`, it makes a configuration or an error: every option and every table's member with
//! every kind of value, and the file cut off anywhere.

use std::panic::catch_unwind;

use clap::Args as _;

use super::options::Options;
use super::{Config, ConfigError};

/// A file with everything.
const WHOLE: &str = r#"
listen = "127.0.0.1:4566"
tls-listen = "127.0.0.1:4567"
media-listen = "127.0.0.1:4570"
media-shards = 2
rtmp-listen = "127.0.0.1:1935"
rtmps-listen = "127.0.0.1:1936"
rtmps-certificate = "cert.pem"
rtmps-key = "key.pem"
data-dir = "data"
store = "memory"
account = "123456789012"
region = "eu-west-1"
advertise = ["192.0.2.1", "2001:db8::1"]
node-url = "https://gw-1.example.com"
public-url = "https://gw.example.com/"
allow-reset = true
ivs-quotas = ["stages=5"]
rest-quotas = ["api-keys=5"]
account-throttle = "10.5:5"
client-timeout = 30
request-bodies-max = 512
lambda-endpoint = "https://lambda.eu-west-1.amazonaws.com"
otlp-endpoint = "http://127.0.0.1:4318"
log = "warn,stagedoor=debug"
lambda-key = { id = "a", secret = "b", session-token = "c" }
service-key = { id = "a", secret = "b" }

[truststores]
"s3://bucket/ca.pem" = "ca.pem"

[service-endpoints]
sqs = "http://127.0.0.1:9324"
states = { url = "http://127.0.0.1:8083", key = { id = "a", secret = "b" } }

[vpc-links]
abc123 = "http://127.0.0.1:8080"

[[key]]
id = "AKID"
secret = "s"
account = "123456789012"
session-token = "t"
user = "u"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

[[certificate]]
domains = ["a.example.com", "*.b.example.com"]
cert = "cert.pem"
key = "key.pem"

[[ice-server]]
urls = ["turn:turn.example.com:3478?transport=udp"]
secret = "s"
lifetime = 3600

[[ice-server]]
urls = ["turns:turn.example.com"]
username = "u"
credential = "c"

[[event-target]]
name = "hook"
webhook = "https://example.com/events"
authorization = "Bearer x"

[[event-target]]
name = "bus"
put-events = "https://events.eu-west-1.amazonaws.com"
bus = "b"
source = "s"
key = { id = "a", secret = "b" }

[[event-target]]
name = "lines"
file = "events.json"

[[log-sink]]
arn = "arn:aws:logs:*:log-group:a"
file = "a.log"
rotate-size = 1
rotate-count = 2

[[log-sink]]
arn = "arn:aws:firehose:*"
endpoint = "http://127.0.0.1:9000"
key = { id = "a", secret = "b" }

[[log-sink]]
arn = "*"
otlp = "http://127.0.0.1:4318"

[[function]]
name = "f"
command = ["python3", "-m", "f"]
directory = "."
environment = { A = "b" }
concurrency = 5
timeout = 900
retry-waits = [1, 21600]
maximum-event-age = 21600
on-failure = "g"

[[function]]
name = "g"
command = ["g"]
"#;

/// Values of every kind, and texts that some option or other does not expect.
const VALUES: &[&str] = &[
    "true",
    "0",
    "-1",
    "1",
    "18446744073709551616",
    "9223372036854775807",
    "1e308",
    "-0.0",
    "inf",
    "nan",
    "1979-05-27T07:32:00Z",
    "[]",
    "[[]]",
    "{}",
    "{ a = 1 }",
    "[\"\"]",
    "[0, -1]",
    "[\"a\", 1]",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\n\"",
    "\"ä\u{301}\"",
    "\"=\"",
    "\"a=\"",
    "\"stages=\"",
    "\"stages=-1\"",
    "\":\"",
    "\"::\"",
    "\"nan:1\"",
    "\"1e400:1\"",
    "\"http://\"",
    "\"http://[::1\"",
    "\"http://a:b\"",
    "\"http://a:99999\"",
    "\"http://a b\"",
    "\"https://a/b?c#d\"",
    "\"http://user:pw@h\"",
    "\"//h\"",
    "\"*\"",
    "\"turn:\"",
    "\"127.0.0.1\"",
    "\"127.0.0.1:\"",
    "\"127.0.0.1:65536\"",
    "\"[::]:0\"",
    "\"{\"",
    "\"arn:aws:iam::\"",
];

fn resolved(toml: &str) -> Option<Result<Config, ConfigError>> {
    let options: Options = toml::from_str(toml).ok()?;
    Some(catch_unwind(|| Config::from_options(options)).unwrap_or_else(|_| panic!("it panics: {toml}")))
}

#[test]
fn the_whole_file_is_valid_and_has_every_option() {
    resolved(WHOLE).expect("it is read").expect("it is valid");
    for option in Options::augment_args(clap::Command::new("stagedoor")).get_arguments() {
        let Some(name) = option.get_long().filter(|name| !matches!(*name, "config" | "keys")) else {
            continue;
        };
        let begins = |line: &str| {
            line.trim_matches(['[', ']'])
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(" ="))
        };
        assert!(WHOLE.lines().any(begins), "{name} is missing above");
    }
}

#[test]
fn no_value_of_any_option_is_too_strange() {
    let lines: Vec<&str> = WHOLE.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        for value in VALUES {
            let changed = format!("{name} = {value}");
            let mut lines = lines.clone();
            lines[at] = &changed;
            if let Some(Err(ConfigError(text))) = resolved(&lines.join("\n")) {
                assert!(!text.is_empty(), "{changed}");
            }
        }
        // Without the line, too.
        let mut lines = lines.clone();
        lines.remove(at);
        resolved(&lines.join("\n"));
    }
}

#[test]
fn a_file_that_is_cut_off_is_no_worse() {
    for end in (0..WHOLE.len()).filter(|end| WHOLE.is_char_boundary(*end)) {
        resolved(&WHOLE[..end]);
    }
}
