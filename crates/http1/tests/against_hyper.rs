//! Any answers, read in any parts: hyper's client and ours read the same status, headers and body, or neither a whole one.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use stagedoor_http1::{AnswerReader, Chunks, Framing, Piece};
use tokio::io::{AsyncWriteExt as _, duplex};

/// Status, headers, body; the body is `None` if it breaks off, all of it if there is no head.
type Told = Option<(u16, HeaderMap, Option<Vec<u8>>)>;

fn ours(sent: &[u8], parts: &[usize], method: &Method) -> Told {
    let mut arriving = cut(sent, parts);
    let (mut reader, mut bytes) = (AnswerReader::default(), BytesMut::new());
    let answer = loop {
        match reader.read(&mut bytes, method) {
            Ok(Some(answer)) => break answer,
            Ok(None) => bytes.extend_from_slice(arriving.next()?),
            Err(_) => return None,
        }
    };
    let body = body(answer.framing, bytes, arriving);
    Some((answer.status.as_u16(), answer.headers, body))
}

fn body<'a>(
    framing: Framing,
    mut bytes: BytesMut,
    mut arriving: impl Iterator<Item = &'a [u8]>,
) -> Option<Vec<u8>> {
    if framing == Framing::Chunked {
        let (mut chunks, mut body) = (Chunks::default(), Vec::new());
        loop {
            match chunks.next(&mut bytes).ok()? {
                Some(Piece::Data(part)) => body.extend_from_slice(&part),
                Some(Piece::End) => return Some(body),
                None => bytes.extend_from_slice(arriving.next()?),
            }
        }
    }
    arriving.for_each(|part| bytes.extend_from_slice(part));
    match framing {
        Framing::Length(length) => bytes.get(..usize::try_from(length).ok()?).map(<[u8]>::to_vec),
        Framing::UntilClose => Some(bytes.to_vec()),
        Framing::None | Framing::Chunked => Some(Vec::new()),
    }
}

/// The bytes in parts of these sizes, the last of which repeats itself.
fn cut<'a>(bytes: &'a [u8], parts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let last = parts.last().copied().unwrap_or(1);
    let mut sizes = parts.iter().copied().chain(std::iter::repeat(last));
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at(sizes.next()?.min(rest.len()));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

async fn hypers(sent: Vec<u8>, parts: Vec<usize>, method: Method) -> Told {
    let (client, mut server) = duplex(64);
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(client)).await.ok()?;
    tokio::spawn(async move { drop(connection.await) });
    let writing = tokio::spawn(async move {
        for part in cut(&sent, &parts) {
            if server.write_all(part).await.is_err() {
                break;
            }
        }
        let _ = server.shutdown().await;
        server
    });
    let request = Request::builder().method(method).uri("/").body(Empty::new()).expect("a request");
    let answer = sender.send_request(request).await.ok()?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.ok().map(|body| body.to_bytes().to_vec());
    drop(writing);
    Some((head.status.as_u16(), head.headers, body))
}

/// Answers that are well-formed in most places.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => Just("HTTP/1.1 200 OK\r\n"),
        1 => Just("HTTP/1.0 200 OK\r\n"),
        1 => Just("HTTP/1.1 204 No Content\r\n"),
        1 => Just("HTTP/1.1 304\r\n"),
        1 => Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n"),
        1 => prop_oneof![Just("HTTP/1.1 099 x\r\n"), Just("HTTP/2 200\r\n"), Just("HTTP/1.1  200 OK\r\n"), Just("\r\nHTTP/1.1 200 OK\r\n"), Just("HTTP/1.1 200 OK\n")],
    ];
    let line = prop_oneof![
        8 => "[a-c-]{1,3}: {0,2}[!-~]{0,5}( [!-~]{1,3})?[ \t]{0,1}\r\n",
        4 => (0_u8..12).prop_map(|length| format!("Content-Length: {length}\r\n")),
        4 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => Just("Transfer-Encoding: gzip\r\n".to_owned()),
        1 => Just("Transfer-Encoding: gzip, chunked\r\n".to_owned()),
        1 => Just("Content-Length: 4, 4\r\n".to_owned()),
        1 => "[ -~]{0,8}\r?\n",
    ];
    let chunk = prop_oneof![
        8 => "[a-z]{1,11}".prop_map(|data| format!("{:x}\r\n{data}\r\n", data.len())),
        1 => "[a-z]{1,9}".prop_map(|data| format!("0{:X} ;x=y\r\n{data}\r\n", data.len())),
        4 => Just("0\r\n\r\n".to_owned()),
        1 => Just("0\r\nX-T: 1\r\n\r\n".to_owned()),
        2 => "[a-z0-9;\r\n ]{0,8}",
    ];
    let lines = prop::collection::vec(line, 0..5);
    (first, lines, prop::collection::vec(chunk, 0..4)).prop_map(|(first, lines, chunks)| {
        [first, &lines.concat(), "\r\n", &chunks.concat()].concat().into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn hyper_reads_the_same(
        sent in answers(),
        parts in prop::collection::vec(1_usize..40, 1..6),
        method in prop_oneof![8 => Just(Method::GET), 1 => Just(Method::HEAD)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let expected = runtime.block_on(hypers(sent.clone(), parts.clone(), method.clone()));
        let read = ours(&sent, &parts, &method);
        prop_assert_eq!(&read, &expected, "{:?}", String::from_utf8_lossy(&sent));
    }

    #[test]
    fn anything_is_read_in_bounds(sent in prop::collection::vec(any::<u8>(), 0..300), part in 1_usize..40) {
        let whole = ours(&sent, &[sent.len().max(1)], &Method::GET);
        prop_assert_eq!(ours(&sent, &[part], &Method::GET), whole);
    }
}
