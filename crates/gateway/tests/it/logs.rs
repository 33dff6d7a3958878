//! Access logs, execution logs and metrics of stages (C11 and C14 of the specification of the REST data plane, D7 of
//! the HTTP one).

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::Method;
use stagedoor_api::{apigateway as rest, apigatewayv2 as http_api_model};
use stagedoor_gateway::{Config, FiguresOf, LogSink, LogTarget};

use crate::backend::Backend;
use crate::build::{
    Integrated as _, RestApi, aws_proxy, http_api, http_custom, http_proxy, mock, rest_api, stage_of_http,
    stage_of_rest,
};
use crate::functions::function;
use crate::world::{Entry, World};

pub(crate) const ACCESS_LOG: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:access";

/// A directory of logs that is deleted in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stagedoor-logs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for temporary files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// The lines of a log group.
    pub(crate) async fn lines(&self, world: &World, group: &str) -> Vec<String> {
        world.gateway.flush_logs().await;
        let path = self.0.join(format!("111122223333/eu-west-1/{group}.log"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The line of the one request that was made, once its answer is through.
    pub(crate) async fn line(&self, world: &World, group: &str) -> String {
        loop {
            let mut lines = self.lines(world, group).await;
            if let Some(line) = lines.pop() {
                assert!(lines.is_empty(), "{lines:?}");
                return line;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn access(format: &str) -> Option<rest::AccessLogSettings> {
    Some(rest::AccessLogSettings {
        destination_arn: Some(ACCESS_LOG.to_owned()),
        format: Some(format.to_owned()),
    })
}

pub(crate) async fn world(directory: &Directory, change: impl FnOnce(&mut Config)) -> World {
    let path = directory.path().to_owned();
    let world = World::start_with(|config| {
        config.log_directory = Some(path);
        change(config);
    });
    world.await
}

fn logging(api: &RestApi, format: &str) -> Vec<Entry> {
    stage_of_rest(api, |stage| stage.access_log_settings = access(format))
}

/// A JSON format with these variables.
fn json(names: &[&str]) -> String {
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":\"$context.{name}\"")).collect();
    format!("{{{}}}", members.join(","))
}

#[tokio::test]
async fn rest_variables_have_their_values() {
    let directory = Directory::new("rest");
    let backend = Backend::start().await;
    let world = world(&directory, |_| {}).await;
    let names = [
        "accountId",
        "apiId",
        "authorize.status",
        "authorizer.principalId",
        "deploymentId",
        "domainName",
        "error.message",
        "extendedRequestId",
        "httpMethod",
        "identity.caller",
        "identity.sourceIp",
        "identity.userAgent",
        "integration.status",
        "integrationStatus",
        "path",
        "protocol",
        "requestId",
        "requestTime",
        "requestTimeEpoch",
        "resourceId",
        "resourcePath",
        "responseLength",
        "stage",
        "status",
        "waf.status",
        "xrayTraceId",
        "noSuchVariable",
    ];
    let api = rest_api("abc").method("GET /things/{id}", http_proxy(&backend.url("/status/404")));
    world.store(logging(&api, &json(&names))).await;
    let agent = ("user-agent", "a \"quoted\" agent");
    let host = ("host", "abc.execute-api.eu-west-1.amazonaws.com");
    let seen = world.send(Method::GET, "/dev/things/7?x=1", &[host, agent], "").await;
    seen.is(404, "status 404");
    let line = directory.line(&world, "access").await;
    let told: BTreeMap<String, String> = serde_json::from_str(&line).expect("a line of JSON");
    let (id, extended) = (seen.header("x-amzn-requestid"), seen.header("x-amz-apigw-id"));
    for (name, expected) in [
        ("accountId", "111122223333"),
        ("apiId", "abc"),
        ("authorize.status", "-"),
        ("authorizer.principalId", "-"),
        ("deploymentId", "dep1"),
        ("domainName", "abc.execute-api.eu-west-1.amazonaws.com"),
        ("error.message", "-"),
        ("extendedRequestId", extended),
        ("httpMethod", "GET"),
        ("identity.caller", "-"),
        ("identity.sourceIp", "127.0.0.1"),
        ("identity.userAgent", agent.1),
        ("integration.status", "404"),
        ("integrationStatus", "404"),
        ("path", "/dev/things/7"),
        ("protocol", "HTTP/1.1"),
        ("requestId", id),
        ("requestTime", "14/Nov/2023:22:13:20 +0000"),
        ("requestTimeEpoch", "1700000000000"),
        ("resourceId", "res0"),
        ("resourcePath", "/things/{id}"),
        ("responseLength", "10"),
        ("stage", "dev"),
        ("status", "404"),
        ("waf.status", "-"),
        ("xrayTraceId", "-"),
        ("noSuchVariable", "-"),
    ] {
        assert_eq!(told[name], expected, "{name} in {line}");
    }
}

#[tokio::test]
async fn every_end_has_its_line() {
    let directory = Directory::new("ends");
    let backend = Backend::start().await;
    let world = world(&directory, |config| config.functions = vec![function("failing", "not")]).await;
    let mut hanging = http_proxy(&backend.url("/never"));
    hanging.timeout_in_millis = Some(50);
    let closed = rest::Method {
        api_key_required: Some(true),
        method_integration: Some(mock("{\"statusCode\": 200}").answering("200", "")),
        ..Default::default()
    };
    let api = rest_api("abc")
        .method("GET /mock", mock("{\"statusCode\": 200}").answering("200", "").with_body("text/plain", "hi"))
        .method("GET /hanging", hanging)
        .method("GET /dead", http_proxy(&backend.url("/hang-up")))
        .method("GET /failing", aws_proxy("failing"))
        .method("GET /broken", mock("{}").answering("200", ""))
        .method_with("GET /closed", closed);
    let format = "$context.status $context.error.responseType $context.resourcePath $context.path \
                  [$context.error.message] $context.integrationStatus $context.responseLength";
    world.store(logging(&api, format)).await;
    let mut expected = Vec::new();
    for (path, line) in [
        ("/mock", "200 - /mock /dev/mock [-] - 2"),
        ("/nowhere", "403 MISSING_AUTHENTICATION_TOKEN - /dev/nowhere [Missing Authentication Token] - 42"),
        ("/closed", "403 INVALID_API_KEY /closed /dev/closed [Forbidden] - 23"),
        ("/hanging", "504 INTEGRATION_TIMEOUT /hanging /dev/hanging [Endpoint request timed out] - 41"),
        ("/dead", "504 INTEGRATION_FAILURE /dead /dev/dead [Network error communicating with endpoint] - 56"),
        ("/failing", "502 INTEGRATION_FAILURE /failing /dev/failing [Internal server error] 200 36"),
        ("/broken", "500 API_CONFIGURATION_ERROR /broken /dev/broken [Internal server error] - 36"),
    ] {
        world.get_from("abc.execute-api.eu-west-1.amazonaws.com", &format!("/dev{path}")).await;
        expected.push(line);
    }
    let mut lines = directory.lines(&world, "access").await;
    while lines.len() < expected.len() {
        lines = directory.lines(&world, "access").await;
    }
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn http_apis_log_theirs() {
    let directory = Directory::new("http");
    let backend = Backend::start().await;
    let world = world(&directory, |_| {}).await;
    let api = http_api("def").route("GET /pets/{id}", &backend.url("/status/201"));
    let format = "$context.routeKey $context.requestId $context.extendedRequestId $context.integrationStatus \
                  $context.integration.status $context.status $context.dataProcessed $context.error.message \
                  $context.path";
    let entries = stage_of_http(&api, |stage| {
        stage.access_log_settings = Some(http_api_model::AccessLogSettings {
            destination_arn: Some(ACCESS_LOG.to_owned()),
            format: Some(format.to_owned()),
        });
        stage.default_route_settings = Some(http_api_model::RouteSettings {
            detailed_metrics_enabled: Some(true),
            ..Default::default()
        });
    });
    world.store(entries).await;
    let host = ("host", "def.execute-api.eu-west-1.amazonaws.com");
    let seen = world.send(Method::GET, "/dev/pets/1", &[host], "12345").await;
    let id = seen.header("apigw-requestid");
    let line = directory.line(&world, "access").await;
    assert_eq!(line, format!("GET /pets/{{id}} {id} {id} 201 201 201 15 - /dev/pets/1"));
    let seen = world.get_from(host.1, "/dev/none").await;
    let id = seen.header("apigw-requestid");
    let mut lines = directory.lines(&world, "access").await;
    while lines.len() < 2 {
        lines = directory.lines(&world, "access").await;
    }
    assert_eq!(lines[1], format!("- {id} {id} - - 404 23 Not Found /dev/none"));
    let figures = world.gateway.metrics();
    let [of_stage, of_route] = figures.as_slice() else { panic!("{figures:?}") };
    assert_eq!((of_stage.requests, of_stage.client_errors, of_stage.data_processed), (2, 1, 38));
    assert_eq!(of_stage.latency.buckets.iter().sum::<u64>(), 2);
    assert_eq!(of_stage.integration_latency.buckets.iter().sum::<u64>(), 1);
    assert_eq!(of_route.of, Some(FiguresOf::Route { key: "GET /pets/{id}".to_owned() }));
    assert_eq!(of_route.requests, 1);
}

#[tokio::test]
async fn execution_logs_follow_the_methods_settings() {
    let directory = Directory::new("execution");
    let backend = Backend::start().await;
    let world = world(&directory, |_| {}).await;
    let custom = http_custom(&backend.url("/status/200")).answering("200", "");
    let api = rest_api("abc")
        .method("GET /traced", custom.clone())
        .method("GET /told", custom)
        .method("GET /failing", mock("{}").answering("200", ""))
        .method("GET /silent", mock("{\"statusCode\": 200}").answering("200", ""));
    let setting = |level: &str, data: bool| rest::MethodSetting {
        logging_level: Some(level.to_owned()),
        data_trace_enabled: Some(data),
        metrics_enabled: Some(true),
        ..Default::default()
    };
    let entries = stage_of_rest(&api, |stage| {
        stage.method_settings = Some(BTreeMap::from([
            ("traced/GET".to_owned(), setting("INFO", true)),
            ("told/GET".to_owned(), setting("INFO", false)),
            ("*/*".to_owned(), setting("ERROR", false)),
            ("silent/GET".to_owned(), setting("OFF", false)),
        ]));
    });
    world.store(entries).await;
    let group = "API-Gateway-Execution-Logs_abc/dev";
    let host = "abc.execute-api.eu-west-1.amazonaws.com";
    let mut seen = 0;
    let mut expect = async |path: &str, told: &[&str]| {
        let answer = world.get_from(host, path).await;
        let prefix = format!("({}) ", answer.header("x-amzn-requestid"));
        let lines = directory.lines(&world, group).await.split_off(seen);
        seen += lines.len();
        let texts: Vec<&str> =
            lines.iter().map(|line| line.strip_prefix(&prefix).unwrap_or_else(|| panic!("{line}"))).collect();
        if told.is_empty() {
            assert_eq!(texts, Vec::<&str>::new());
        }
        for text in told {
            assert!(texts.iter().any(|found| found.starts_with(text)), "{text} in {texts:#?}");
        }
        texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    let traced = [
        "Extended Request Id: ",
        "Usage Plan check succeeded for API Key  and API Stage abc/dev",
        "Starting execution for request: ",
        "HTTP Method: GET, Resource Path: /traced",
        "Method request headers: {",
        "Endpoint response body before transformations: status 200",
        "Successfully completed execution",
        "Method completed with status: 200",
    ];
    expect("/dev/traced", &traced).await;
    let told =
        expect("/dev/told", &["Received response. Status: 200", "Method completed with status: 200"]).await;
    assert!(
        !told.iter().any(|text| text.starts_with("Method request") || text.starts_with("Endpoint")),
        "{told:#?}"
    );
    let failing =
        expect("/dev/failing", &["Execution failed due to configuration error: Unable to parse"]).await;
    assert_eq!(failing.len(), 2, "{failing:#?}");
    expect("/dev/silent", &[]).await;
    let of_told = FiguresOf::Method { resource: "/told".to_owned(), method: "GET".to_owned() };
    let figures = world.gateway.metrics();
    let own = figures.iter().find(|figures| figures.of.as_ref() == Some(&of_told));
    assert_eq!(own.map(|own| own.requests), Some(1));
}

#[tokio::test]
async fn sinks_are_chosen_by_the_first_pattern() {
    let directory = Directory::new("patterns");
    let path = directory.path().join("all.log");
    let target = LogTarget::File { path: path.clone(), bytes_max: 40, kept: 1 };
    let sinks = vec![
        LogSink { pattern: "arn:aws:logs:*:log-group:other".to_owned(), target: LogTarget::Stdout },
        LogSink { pattern: "arn:aws:logs:*:log-group:acc*".to_owned(), target },
    ];
    let world = world(&directory, |config| config.log_sinks = sinks).await;
    let api = rest_api("abc").method("GET /", mock("{\"statusCode\": 200}").answering("200", ""));
    world.store(logging(&api, "$context.status $context.path of $context.stage")).await;
    for _ in 0..3 {
        world.get_from("abc.execute-api.eu-west-1.amazonaws.com", "/dev").await;
        world.gateway.flush_logs().await;
    }
    while world.gateway.log_figures().written < 3 {
        world.gateway.flush_logs().await;
    }
    let text = std::fs::read_to_string(directory.path().join("all.log.1")).expect("put aside");
    assert!(text.starts_with("200 /dev of dev\n200 /dev of dev\n"), "{text}");
    let figures = world.gateway.log_figures();
    assert_eq!((figures.dropped, figures.failed), (0, 0));
}
