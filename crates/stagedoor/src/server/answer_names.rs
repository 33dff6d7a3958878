//! Answers by hyper over HTTP/1.1 have the names of their headers in AWS's spelling, as those that the gateway writes
//! itself.
//!
//! hyper writes names as an extension of the answer says, which nobody but hyper can make: its client makes one of each
//! answer that it reads. So that client reads one answer, once, which has all the names.

use http::{Extensions, Request};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use stagedoor_gateway::USUAL_NAMES;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

/// More than the request and the answer have together, in bytes.
const ROOM_BYTES: usize = 16 * 1024;

/// What tells hyper how names are spelt.
#[derive(Debug)]
pub struct AnswerNames(Extensions);

impl AnswerNames {
    /// They stay in lower case if hyper cannot be taught.
    pub async fn learn() -> Self {
        let (client, server) = duplex(ROOM_BYTES);
        let learnt = tokio::join!(read(client), answer(server)).0;
        Self(learnt.unwrap_or_else(|error| {
            tracing::warn!(%error, "names of headers stay in lower case");
            Extensions::new()
        }))
    }

    /// Lets hyper spell the names of this answer.
    pub fn put_on(&self, answer: &mut Extensions) {
        answer.extend(self.0.clone());
    }
}

/// What comes with an answer that hyper reads.
async fn read(stream: DuplexStream) -> hyper::Result<Extensions> {
    let mut builder = http1::Builder::new();
    let (mut client, connection) = builder.preserve_header_case(true).handshake(TokioIo::new(stream)).await?;
    // The connection ends once nobody can ask any more.
    let asked = async move { client.send_request(Request::new(Empty::<Bytes>::new())).await };
    let (answer, _) = tokio::join!(asked, connection);
    Ok(std::mem::take(answer?.extensions_mut()))
}

/// Answers one request with every name, and without a body.
async fn answer(mut stream: DuplexStream) {
    let mut head = "HTTP/1.1 204 No Content\r\n".to_owned();
    for name in USUAL_NAMES {
        let value = match *name {
            "Transfer-Encoding" => "chunked",
            _ => "0",
        };
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") && stream.read_buf(&mut asked).await.is_ok_and(|read| read > 0) {}
    // Whether it arrived is the reader's to say.
    let _ = stream.write_all(head.as_bytes()).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{HeaderName, HeaderValue, Response};
    use http_body_util::Full;
    use hyper::server::conn::http1 as server;
    use hyper::service::service_fn;

    use super::*;

    #[tokio::test]
    async fn hyper_writes_names_as_aws_does() {
        let names = AnswerNames::learn().await;
        let (mut client, stream) = duplex(ROOM_BYTES);
        let service = service_fn(|_| {
            let mut answer = Response::new(Full::new(Bytes::from_static(b"{}")));
            for name in ["content-type", "x-amzn-requestid", "x-amzn-errortype", "x-own"] {
                answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
            }
            names.put_on(answer.extensions_mut());
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        let serving = server::Builder::new().serve_connection(TokioIo::new(stream), service);
        let asking = async {
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
                .await
                .expect("it reads");
            let mut answered = String::new();
            client.read_to_string(&mut answered).await.expect("it answers");
            answered
        };
        let (answered, served) = tokio::join!(asking, serving);
        served.expect("a request is served");
        let mut written: Vec<&str> =
            answered.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        written.sort_unstable();
        let expected = [
            "Connection",
            "Content-Length",
            "Content-Type",
            "Date",
            "x-amzn-ErrorType",
            "x-amzn-RequestId",
            "x-own",
        ];
        assert_eq!(written, expected);
    }
}
