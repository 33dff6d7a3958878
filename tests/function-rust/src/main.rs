//! A Lambda function: answers with its event, fails, panics or streams; or a web framework.

mod web;

use lambda_runtime::streaming::{self, Body};
use lambda_runtime::{Error, LambdaEvent, MetadataPrelude, StreamResponse, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("streaming") => lambda_runtime::run(service_fn(stream)).await,
        Some("axum") => web::serve(false).await,
        Some("axum-streaming") => web::serve(true).await,
        _ => lambda_runtime::run(service_fn(answer)).await,
    }
}

/// Answers with the event, or fails if it says so.
async fn answer(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    match event["body"].as_str() {
        Some("fail") => Err("four hundred and four".into()),
        Some("panic") => panic!("four hundred and five"),
        _ => {
            let body = json!({"event": event, "arn": context.invoked_function_arn}).to_string();
            Ok(json!({"statusCode": 201, "body": body}))
        }
    }
}

/// Streams two parts.
async fn stream(_: LambdaEvent<Value>) -> Result<StreamResponse<Body>, Error> {
    let (mut sender, stream) = streaming::channel();
    tokio::spawn(async move {
        for part in ["first,", "second"] {
            if sender.send_data(part.into()).await.is_err() {
                return;
            }
        }
    });
    let mut metadata_prelude = MetadataPrelude::default();
    metadata_prelude.headers.insert("x-streamed", "yes".parse()?);
    Ok(StreamResponse { metadata_prelude, stream })
}
