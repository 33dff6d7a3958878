//! Mapping templates, overrides and body mappings of REST APIs (C10 to C12 of the specification of the data plane).

use http::Method;
use serde_json::json;
use stagedoor_api::apigateway as api;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_custom, http_proxy, map, mock, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";
const OK: &str = "{statusCode: 200}";

/// Sends to `POST /pets/{id}` of an API with this integration.
async fn post(integration: api::Integration, target: &str, headers: &[(&str, &str)], body: &str) -> Seen {
    let world = World::start().await;
    let api = rest_api("abc").method("POST /pets/{id}", integration);
    world.store(api.deployed_as("dep1", "dev", &[("colour", "green")])).await;
    world.send(Method::POST, &format!("{BASE}{target}"), headers, body).await
}

async fn mocked(template: &str) -> Seen {
    let integration = mock(OK).answering("200", "").with_body("application/json", template);
    post(integration, "/pets/7?q=1&q=two+words", &[("x-own", "a"), ("user-agent", "me")], "").await
}

#[tokio::test]
async fn templates_see_the_request() {
    for (template, expected) in [
        ("$input.params('id') $input.params('q') $input.params('X-Own')", "7 two words a"),
        ("$input.params('x-own') $input.params().header.get('x-own')", "a a"),
        ("[$input.params('none')]", "[]"),
        ("$input.params().path $input.params().querystring", "{id=7} {q=two words}"),
        ("$stageVariables.colour [$stageVariables.none]", "green []"),
        ("$context.stage $context.httpMethod $context.resourcePath", "dev POST /pets/{id}"),
        ("$context.identity.sourceIp $context.identity.userAgent", "127.0.0.1 me"),
        ("$context.requestTime $context.requestTimeEpoch", "14/Nov/2023:22:13:20 +0000 1700000000000"),
        ("[$context.identity] [$context.authorizer.principalId] [$context.isCanaryRequest]", "[] [] []"),
        ("$util.base64Encode('a') $input.body", "YQ== {}"),
    ] {
        mocked(template).await.is(200, expected);
    }
}

#[tokio::test]
async fn the_context_is_iterable_in_the_recorded_order() {
    mocked("#foreach($k in $context.keySet())$k #end").await.is(
        200,
        "resourceId resourcePath httpMethod extendedRequestId requestTime path accountId protocol requestOverride \
         stage domainPrefix requestTimeEpoch requestId identity domainName deploymentId responseOverride apiId ",
    );
    mocked("#foreach($k in $context.identity.keySet())$k #end").await.is(
        200,
        "cognitoIdentityPoolId accountId cognitoIdentityId caller sourceIp principalOrgId accessKey \
         cognitoAuthenticationType cognitoAuthenticationProvider userArn userAgent user ",
    );
}

#[tokio::test]
async fn a_mocks_template_chooses_the_status() {
    let integration = || {
        mock("#if($input.path('$.gone') == true){statusCode: 404}#else{\"statusCode\": 200}#end")
            .answering("200", "")
            .with_body("application/json", "here")
            .answering("404", "404")
            .with_body("application/json", "gone")
    };
    post(integration(), "/pets/1", &[], r#"{"gone": true}"#).await.is(404, "gone");
    post(integration(), "/pets/1", &[], r#"{"gone": false}"#).await.is(200, "here");
    post(integration(), "/pets/1", &[], "").await.is(200, "here");
    let none = mock("#if(false){statusCode: 200}#end").answering("200", "");
    post(none, "/pets/1", &[], "").await.is(500, r#"{"message": "Internal server error"}"#);
}

#[tokio::test]
async fn overrides_of_a_mock_reach_the_answer() {
    let request = "#set($context.responseOverride.status = 418)\
                   #set($context.responseOverride.header.X-Early = 'a')\
                   #set($context.requestOverride.querystring.seen = 'later'){statusCode: 200}";
    let answer = post(mock(request).answering("200", ""), "/pets/1", &[], "").await;
    answer.is(418, "");
    assert_eq!(answer.header("x-early"), "a", "without a response template");
    let response = "#set($context.responseOverride.header['X-Late'] = ['b', 'c'])\
                    $context.requestOverride.querystring.seen";
    let both = mock(request)
        .answering("200", "")
        .with_header("X-Early", "'mapped'")
        .with_body("application/json", response);
    let answer = post(both, "/pets/1", &[], "").await;
    answer.is(418, "later");
    assert_eq!((answer.header("x-early"), answer.header("x-late")), ("a", "b,c"));
    let odd = "#set($context.responseOverride.status = 777){statusCode: 200}";
    post(mock(odd).answering("201", ""), "/pets/1", &[], "").await.is(201, "");
}

#[tokio::test]
async fn templates_make_what_the_backend_gets_and_the_client_sees() {
    let backend = Backend::start().await;
    let request = "#set($context.requestOverride.header.X-Set = 'by template')\
                   #set($context.requestOverride.path.id = 'a b')\
                   #set($context.requestOverride.querystring.q = 'x&y')\
                   #set($root = $input.path('$')){\"name\": \"$root.user.name\", \"all\": $input.json('$.user')}";
    let integration = api::Integration {
        request_templates: Some(map(&[("application/json", request)])),
        ..http_custom(&backend.url("/{id}"))
            .mapping("path.id", "method.request.path.id")
            .mapping("querystring.q", "method.request.querystring.q")
            .mapping("querystring.r", "'stays'")
            .mapping("header.x-set", "'mapped'")
            .answering("200", "")
            .with_body(
                "application/json",
                "$input.json('$.uri') $input.path('$.headers.x-set') $input.path('$.body')",
            )
    };
    let body = r#"{"user": {"name": "Ada"}}"#;
    let answer = post(integration, "/pets/7?q=1", &[], body).await;
    answer.is(200, r#""/a%20b?r=stays&q=x%26y" by template {"name": "Ada", "all": {"name":"Ada"}}"#);
}

#[tokio::test]
async fn parameters_come_from_bodies() {
    let backend = Backend::start().await;
    let mapped = |integration: api::Integration| {
        integration
            .mapping("header.x-name", "method.request.body.user.name")
            .mapping("header.x-none", "method.request.body.user.none")
            .mapping("header.x-list", "method.request.body.list")
            .answering("200", "")
    };
    let body = r#"{"user": {"name": "Ada"}, "list": [1, 2]}"#;
    for integration in [http_custom(&backend.url("/")), http_proxy(&backend.url("/"))] {
        let answer = post(mapped(integration.clone()), "/pets/7", &[], body).await;
        assert_eq!(answer.json()["body"], body);
        for (name, value) in [("x-name", "Ada"), ("x-none", ""), ("x-list", "[1,2]")] {
            assert_eq!(answer.sent(name), value, "{name}");
        }
        let broken = post(mapped(integration.clone()), "/pets/7", &[], "{not json").await;
        broken.is(400, r#"{"message":"Invalid JSON in request body"}"#);
        let text = post(mapped(integration), "/pets/7", &[], "plain").await;
        assert_eq!(text.sent("x-name"), "");
    }
    let back = http_custom(&backend.url("/"))
        .answering("200", "")
        .with_header("X-Method", "integration.response.body.method")
        .with_header("X-None", "integration.response.body.none.deeper");
    let answer = post(back.clone(), "/pets/7", &[], "").await;
    assert_eq!((answer.header("x-method"), answer.header("x-none")), ("POST", ""));
}

#[tokio::test]
async fn templates_that_cannot_work_are_internal_errors() {
    let error = r#"{"message": "Internal server error"}"#;
    for template in [
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end",
        "#set($s = 'x')#foreach($i in [1..60])#set($s = $s + $s)#end$s",
        "#if(true",
        "$input.json('$[')",
    ] {
        mocked(template).await.is(500, error);
    }
}

#[tokio::test]
async fn what_the_request_holds_is_text_not_template() {
    let integration = mock(OK).answering("200", "").with_body("application/json", "$input.params('q')");
    post(integration, "/pets/1?q=%24context.stage%23stop", &[], "").await.is(200, "$context.stage#stop");
    let header =
        "#set($context.responseOverride.header.X-Evil = \"a$util.urlDecode('%0D%0A')b: c\"){statusCode: 200}";
    let answer = post(mock(header).answering("200", ""), "/pets/1", &[], "").await;
    answer.is(200, "");
    assert_eq!(answer.header("x-evil"), "", "a line break is no header");
}

#[tokio::test]
async fn json_stays_what_it_is() {
    let integration = api::Integration {
        request_templates: Some(map(&[("application/json", "{\"statusCode\": 200}")])),
        ..mock(OK)
    };
    let integration = integration.answering("200", "").with_body(
        "application/json",
        "#set($m = $util.parseJson('{\"a\": [1, {\"b\": null}]}'))$m.a[0] $m.a.size()",
    );
    let answer = post(integration, "/pets/1", &[], &json!({}).to_string()).await;
    answer.is(200, "1 2");
}
