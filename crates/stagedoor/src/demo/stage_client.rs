//! Sends ordinary HTTP requests, as the users of a stage do, and times them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Failure;

pub struct StageClient(Client<HttpConnector, Full<Bytes>>);

impl StageClient {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Failure> {
        let (parts, body) = self.0.request(request).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    pub async fn get(&self, url: &str) -> Result<Response<Bytes>, Failure> {
        self.send(Request::get(url).body(Full::default())?).await
    }

    /// `application/sdp` to a WHIP address, with a participant token.
    pub async fn post_sdp(&self, url: &str, token: &str, offer: String) -> Result<String, Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header("content-type", "application/sdp")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(offer.into()))?;
        let response = self.send(request).await?;
        let body = String::from_utf8(response.body().to_vec())?;
        if response.status() == 201 {
            Ok(body)
        } else {
            Err(format!("{url}: {}: {body}", response.status()).into())
        }
    }

    /// The same request again and again; every answer must have the status and body that `expected` has.
    pub async fn repeat(
        &self,
        url: &str,
        count: u32,
        expected: &Response<Bytes>,
    ) -> Result<Latencies, Failure> {
        let mut latencies = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let before = Instant::now();
            let response = self.get(url).await?;
            latencies.push(before.elapsed());
            if (response.status(), response.body()) != (expected.status(), expected.body()) {
                return Err(format!("{url} answered {}: {:?}", response.status(), response.body()).into());
            }
        }
        Ok(Latencies::new(latencies))
    }
}

/// How long each of some requests took.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    pub fn new(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Zero if there are none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }
}
