//! Any requests, one after the other, read in any parts: hyper and what follows it see the same ones.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, duplex};

use super::Heads;

/// Shows what is read, as the listener does.
struct Shown<S>(S, Arc<Heads>);

impl<S: AsyncRead + Unpin> AsyncRead for Shown<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.0).poll_read(cx, buffer);
        if polled.is_ready() {
            self.1.read(&buffer.filled()[before..]);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shown<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What a request says of itself: its target, its names as they were written, its body, whether it has two lengths.
type Told = (String, Vec<String>, Vec<u8>, bool);

/// Sends these bytes in parts of these sizes to hyper; what it served, with the names that were found.
async fn served(sent: Vec<u8>, parts: Vec<usize>) -> Vec<Told> {
    let (mut client, server) = duplex(256);
    let (heads, told) = (Arc::new(Heads::default()), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&told);
    let shown = Shown(server, Arc::clone(&heads));
    let service = service_fn(move |request: Request<Incoming>| {
        let (heads, told) = (Arc::clone(&heads), Arc::clone(&told));
        async move {
            let two_lengths = heads.begin();
            let written = heads.current(request.method());
            let names = request.headers().keys().map(|name| {
                let spelt = written.as_ref().and_then(|written| written.spelling(name));
                spelt.unwrap_or("lost").to_owned()
            });
            let (target, names) = (request.uri().to_string(), names.collect());
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            told.lock().expect("nobody panicked").push((target, names, body.to_vec(), two_lengths));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    });
    let serving =
        tokio::spawn(http1::Builder::new().half_close(true).serve_connection(TokioIo::new(shown), service));
    let (mut reading, mut writing) = tokio::io::split(&mut client);
    let sending = async {
        let mut rest = &sent[..];
        for part in parts.into_iter().cycle().map(|part| part.max(1)) {
            let (now, later) = rest.split_at(part.min(rest.len()));
            if now.is_empty() || writing.write_all(now).await.is_err() {
                break;
            }
            rest = later;
        }
        let _ = writing.shutdown().await;
    };
    let mut answers = Vec::new();
    let (_, _) = tokio::join!(sending, reading.read_to_end(&mut answers));
    let _ = serving.await;
    seen.lock().expect("nobody panicked").clone()
}

/// Names whose letters have any case.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "x-own",
        "x-other",
        "cookie",
        "te",
        "content-type",
        "x-content-length",
        "c",
    ]);
    (known, any::<u32>()).prop_map(|(name, cases)| {
        let cased = |(at, letter): (usize, char)| {
            if cases >> (at % 32) & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        };
        name.chars().enumerate().map(cased).collect()
    })
}

#[derive(Clone, Debug)]
enum Framed {
    Nothing,
    Length(Vec<u8>),
    Chunks(Vec<(Vec<u8>, bool)>, bool),
}

fn framed() -> impl Strategy<Value = Framed> {
    let bytes = || prop::collection::vec(prop::sample::select(b"\r\n:G 0x".to_vec()), 0..40);
    prop_oneof![
        Just(Framed::Nothing),
        bytes().prop_map(Framed::Length),
        (prop::collection::vec((bytes(), any::<bool>()), 0..4), any::<bool>())
            .prop_map(|(chunks, trailer)| Framed::Chunks(chunks, trailer)),
    ]
}

/// A request's bytes and what it says.
fn request() -> impl Strategy<Value = (Vec<u8>, Told)> {
    let empty_line = prop::sample::select(vec!["", "\r\n"]);
    let names = prop::collection::btree_map("[a-e]", (name(), "[ -~]{0,12}"), 0..5);
    (empty_line, prop::sample::select(vec!["GET", "POST"]), "/[a-z]{0,5}", names, framed(), any::<bool>())
        .prop_map(|(before, method, target, headers, framed, also)| {
            let mut sent = format!("{before}{method} {target} HTTP/1.1\r\n").into_bytes();
            let mut names: Vec<String> = Vec::new();
            let mut add = |sent: &mut Vec<u8>, name: &str, value: &str| {
                sent.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
                if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    names.push(name.to_owned());
                }
            };
            for (name, value) in headers.values() {
                add(&mut sent, name, value.trim());
            }
            let mut body = Vec::new();
            let mut two_lengths = false;
            match &framed {
                Framed::Nothing => sent.extend_from_slice(b"\r\n"),
                Framed::Length(bytes) => {
                    add(&mut sent, "CONTENT-Length", &bytes.len().to_string());
                    sent.extend_from_slice(b"\r\n");
                    sent.extend_from_slice(bytes);
                    body.extend_from_slice(bytes);
                }
                Framed::Chunks(chunks, trailer) => {
                    add(&mut sent, "Transfer-ENCODING", "chunked");
                    if also {
                        // hyper leaves it out.
                        sent.extend_from_slice(b"content-length: 7\r\n");
                        two_lengths = true;
                    }
                    sent.extend_from_slice(b"\r\n");
                    for (bytes, extended) in chunks.iter().filter(|(bytes, _)| !bytes.is_empty()) {
                        let extension = if *extended { ";a=b" } else { "" };
                        sent.extend_from_slice(format!("{:X}{extension}\r\n", bytes.len()).as_bytes());
                        sent.extend_from_slice(bytes);
                        sent.extend_from_slice(b"\r\n");
                        body.extend_from_slice(bytes);
                    }
                    sent.extend_from_slice(if *trailer { b"0\r\nX-T: 1\r\n\r\n" } else { b"0\r\n\r\n" });
                }
            }
            (sent, (target, names, body, two_lengths))
        })
}

proptest! {
    #[test]
    fn hyper_and_the_follower_see_the_same_requests(
        requests in prop::collection::vec(request(), 1..6),
        parts in prop::collection::vec(1_usize..200, 1..6),
    ) {
        let (sent, expected): (Vec<Vec<u8>>, Vec<Told>) = requests.into_iter().unzip();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut found = runtime.block_on(served(sent.concat(), parts));
        let mut expected = expected;
        // After two lengths hyper reads no further.
        if let Some(at) = expected.iter().position(|(.., two_lengths)| *two_lengths) {
            expected.truncate(at + 1);
        }
        // hyper's map may have the names in another order.
        for (_, names, ..) in found.iter_mut().chain(&mut expected) {
            names.sort();
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn nothing_makes_it_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20)) {
        let heads = Heads::default();
        for part in parts {
            heads.read(&part);
            heads.begin();
            let _ = heads.current(&http::Method::GET);
        }
    }
}
