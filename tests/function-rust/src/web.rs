//! Axum on `lambda_http`: what `tests/clients/test_frameworks.py` wants of every web framework.

use axum::extract::{Form, Json, Multipart, Path, Query};
use axum::response::IntoResponse;
use axum::routing::{any, delete, get, post};
use axum::{Extension, Router};
use lambda_http::http::{HeaderMap, Method, StatusCode, Uri, header};
use lambda_http::request::RequestContext;
use lambda_http::{Error, run, run_with_streaming_response};
use serde_json::{Value, json};

/// `small`, compressed by gzip.
const GZIP: [u8; 25] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 43, 206, 77, 204, 201, 1, 0, 19, 234, 69, 117, 5, 0, 0, 0];

pub(crate) async fn serve(streams: bool) -> Result<(), Error> {
    // As on a custom domain, whose base path belongs to the path; and as of HTTP APIs with a stage that has a name.
    let app = routes().nest("/shop", routes()).nest("/prod", routes());
    if streams { run_with_streaming_response(app).await } else { run(app).await }
}

fn routes() -> Router {
    Router::new()
        .route("/echo/{id}", any(echo))
        .route("/greedy/{*rest}", get(|Path(rest): Path<String>| async move { Json(json!({"rest": rest})) }))
        .route("/json", post(|Json(sent): Json<Value>| async move { Json(json!({"sent": sent})) }))
        .route("/form", post(form))
        .route("/upload", post(upload))
        .route(
            "/bytes",
            post(|sent: axum::body::Bytes| async move { ([(header::CONTENT_TYPE, "image/png")], sent) }),
        )
        .route("/cookies", get(cookies))
        .route("/redirect", get(redirect))
        .route("/empty", delete(|| async { StatusCode::NO_CONTENT }))
        .route("/teapot", get(teapot))
        .route("/gzip", get(gzip))
        .route("/boom", get(boom))
}

async fn echo(
    method: Method,
    uri: Uri,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    Extension(context): Extension<RequestContext>,
) -> Json<Value> {
    let values = |name: &str| -> Vec<&str> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    };
    let cookies = values("cookie");
    let cookies =
        cookies.iter().flat_map(|line| line.split("; ")).filter_map(|cookie| cookie.split_once('='));
    let (ip, stage) = match &context {
        RequestContext::ApiGatewayV1(context) => (&context.identity.source_ip, &context.stage),
        RequestContext::ApiGatewayV2(context) => (&context.http.source_ip, &context.stage),
        _ => (&None, &None),
    };
    Json(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "id": id,
        "query": query,
        "twice": values("x-twice").join(","),
        "cookies": cookies.collect::<std::collections::BTreeMap<_, _>>(),
        "host": values("host").concat(),
        "ip": ip,
        "scheme": values("x-forwarded-proto").concat(),
        "stage": stage,
    }))
}

async fn form(Form(fields): Form<Vec<(String, String)>>) -> Json<Value> {
    let values = |name| -> Vec<&str> {
        fields.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    };
    Json(json!({"name": values("name").concat(), "colour": values("colour")}))
}

async fn upload(mut sent: Multipart) -> Result<Json<Value>, axum::extract::multipart::MultipartError> {
    let mut told = json!({});
    while let Some(field) = sent.next_field().await? {
        match field.file_name().map(str::to_owned) {
            None => told["note"] = field.text().await?.into(),
            Some(name) => {
                told["name"] = name.into();
                told["type"] = field.content_type().into();
                told["hex"] = hex(&field.bytes().await?).into();
            }
        }
    }
    Ok(Json(told))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn cookies() -> impl IntoResponse {
    let set = |cookie| (header::SET_COOKIE, cookie);
    (axum::response::AppendHeaders([set("a=1; HttpOnly"), set("b=2; Path=/there")]), Json(json!({})))
}

async fn redirect() -> impl IntoResponse {
    (StatusCode::FOUND, [(header::LOCATION, "/echo/1?a=b&c=%20")])
}

async fn teapot() -> impl IntoResponse {
    (StatusCode::IM_A_TEAPOT, [("x-twice", "one")], Json(json!({"error": "I am a teapot"})))
}

async fn gzip() -> impl IntoResponse {
    ([(header::CONTENT_ENCODING, "gzip"), (header::CONTENT_TYPE, "text/plain")], GZIP.to_vec())
}

async fn boom() {
    panic!("boom");
}
