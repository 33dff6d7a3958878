//! Functions for the tests: this test binary itself, started again, is their runtime. It speaks the Runtime API over
//! a plain socket and does what the event's body says.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stagedoor_gateway::{Asynchronous, Function};

const RUNTIME: &str = "/2018-06-01/runtime";

/// A function of this name. `start` says how its processes begin: `well`, `not`, `with an error` or `never`.
pub(crate) fn function(name: &str, start: &str) -> Function {
    let program = std::env::current_exe().expect("a running program has a path");
    let program = program.to_str().expect("a path of visible characters").to_owned();
    let arguments = ["--exact", "functions::runtime", "--nocapture"].map(str::to_owned);
    Function {
        name: name.to_owned(),
        command: std::iter::once(program).chain(arguments).collect(),
        directory: None,
        environment: BTreeMap::from([("START".to_owned(), start.to_owned())]),
        processes: 2,
        concurrency: 1000,
        asynchronous: Asynchronous::default(),
        timeout: Duration::from_secs(20),
    }
}

/// What a function's process does. Not started as one it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "a runtime is told by its environment what it serves")]
fn runtime() {
    let Ok(address) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    match std::env::var("START").as_deref() {
        Ok("not") => std::process::exit(7),
        Ok("never") => wait_for_ever(),
        Ok("with an error") => {
            let error = json!({"errorMessage": "no module", "errorType": "Runtime.ImportModuleError"});
            Api::connect(&address).post("/init/error", error.to_string().as_bytes());
            std::process::exit(1);
        }
        _ => {}
    }
    let mut api = Api::connect(&address);
    loop {
        let (head, event) = api.call("GET", "/invocation/next", b"");
        let id = header(&head, "lambda-runtime-aws-request-id").to_owned();
        if api.streams(&id, &event) || api.breaks_off(&id, &event) {
            continue;
        }
        let (outcome, result) = handle(&head, &event);
        api.post(&format!("/invocation/{id}/{outcome}"), &result);
    }
}

/// The body of a proxy's event is an instruction, or what is returned. Other events are returned.
#[expect(clippy::disallowed_methods, reason = "the tests ask for the function's environment")]
#[expect(clippy::zombie_processes, reason = "whether the gateway ends the child is what is tested")]
fn handle(head: &str, event: &[u8]) -> (&'static str, Vec<u8>) {
    let parsed: Value = serde_json::from_slice(event).unwrap_or_default();
    if let Some("TOKEN" | "REQUEST") = parsed["type"].as_str() {
        return authorize(&parsed);
    }
    let instruction = parsed["body"].as_str().or(parsed["do"].as_str()).unwrap_or_default();
    let text = |name: &str| parsed[name].as_str().expect("the event says where").to_owned();
    // A record for a destination.
    if let Some(path) = parsed["requestPayload"]["record"].as_str() {
        std::fs::write(path, event).expect("the test's directory");
    }
    let proxied =
        |text: String| ("response", json!({"statusCode": 200, "body": text}).to_string().into_bytes());
    match instruction {
        "exit" => std::process::exit(3),
        "hang" => wait_for_ever(),
        "huge" => ("response", format!("\"{}\"", "x".repeat(7 * 1024 * 1024)).into_bytes()),
        "garbage" => ("response", b"{garbage".to_vec()),
        "fail" => {
            ("error", json!({"errorMessage": "four hundred", "errorType": "Oops"}).to_string().into_bytes())
        }
        "fail without words" => ("error", Vec::new()),
        "pid" => proxied(std::process::id().to_string()),
        "child" => {
            let child = Command::new("/bin/sleep").arg("600").spawn().expect("a sleeping child");
            proxied(child.id().to_string())
        }
        "print" => {
            let mut out = std::io::stdout();
            for _ in 0..20_000 {
                out.write_all(&[b'x'; 1000]).expect("somebody reads");
            }
            proxied("printed".to_owned())
        }
        "flood" => loop {
            let _ = std::io::stdout().write_all(&[b'x'; 100_000]);
        },
        "orphan" => {
            // It holds the function's output open, as long as it lives.
            let child = Command::new("/bin/sleep").arg("600").spawn().expect("a sleeping child");
            std::fs::write(text("pid"), child.id().to_string()).expect("the test's directory");
            std::process::exit(3)
        }
        "zombies" => {
            for _ in 0..20 {
                Command::new("/bin/true").spawn().expect("a child that nobody waits for");
            }
            wait_for_ever()
        }
        "note" => {
            // A line for each attempt: its id.
            let mut notes = std::fs::File::options().create(true).append(true).open(text("notes"));
            let notes = notes.as_mut().expect("the test's directory");
            writeln!(notes, "{}", header(head, "lambda-runtime-aws-request-id")).expect("a file");
            let error = json!({"errorMessage": "not yet", "errorType": "Oops"}).to_string().into_bytes();
            ("error", error)
        }
        "say" => {
            let _ = std::io::stdout().write_all(b"out loud\n");
            let _ = std::io::stderr().write_all(b"and aside");
            ("response", event.to_vec())
        }
        "head" => proxied(head.to_owned()),
        "environment" => proxied(format!("{:?}", std::env::vars().collect::<BTreeMap<_, _>>())),
        "event" | "" => proxied(String::from_utf8_lossy(event).into_owned()),
        _ if parsed["do"].is_string() => ("response", event.to_vec()),
        result => ("response", result.as_bytes().to_vec()),
    }
}

/// What an authorizer says of who asks: the token, or the header `X-Who`. Its context tells how often it was asked, and
/// what it was told.
fn authorize(event: &Value) -> (&'static str, Vec<u8>) {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.fetch_add(1, Ordering::SeqCst) + 1;
    let headers = ["X-Who", "x-who"].map(|name| &event["headers"][name]);
    let mut named = [&event["authorizationToken"]].into_iter().chain(headers);
    let who = named.find_map(Value::as_str).unwrap_or_default();
    let arn = event["methodArn"].as_str().or(event["routeArn"].as_str()).unwrap_or_default();
    let context = json!({"asked": asked, "flag": true, "text": "t", "event": event.to_string()});
    let policy = |effect: &str, resource: &str| {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
        json!({
            "principalId": who,
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": context,
            "usageIdentifierKey": "key",
        })
    };
    let error =
        |message: &str| json!({"errorMessage": message, "errorType": "Error"}).to_string().into_bytes();
    let answer = match who.split(' ').next().unwrap_or_default() {
        "exit" => std::process::exit(3),
        "hang" => wait_for_ever(),
        "unauthorized" => return ("error", error("Unauthorized")),
        "fail" => return ("error", error("Unauthorized, or so")),
        "garbage" => json!("Allow"),
        "nested" => json!({"principalId": "x", "policyDocument": policy("Allow", "*")["policyDocument"],
            "context": {"a": {"b": 1}}}),
        "yes" => json!({"isAuthorized": true, "context": context}),
        "no" => json!({"isAuthorized": false}),
        "deny" => policy("Deny", "*"),
        "other" => policy("Allow", "arn:aws:execute-api:*:*:other/*"),
        "all" => policy("Allow", "*"),
        _ => policy("Allow", arn),
    };
    ("response", answer.to_string().into_bytes())
}

fn wait_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

/// A header of a head, empty if there is none.
pub(crate) fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let found = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value)
}

struct Api(BufReader<TcpStream>, String);

impl Api {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the Runtime API listens");
        Self(BufReader::new(stream), address.to_owned())
    }

    fn post(&mut self, path: &str, body: &[u8]) {
        self.call("POST", path, body);
    }

    /// Streams a result if the event's body says so: `stream`, `stream {address}` to wait for a byte from there
    /// before the second part, `stream exit` to end before it, `stream garbage` for a stream without a head.
    fn streams(&mut self, id: &str, event: &[u8]) -> bool {
        let parsed: Value = serde_json::from_slice(event).unwrap_or_default();
        let Some(how) = parsed["body"].as_str().and_then(|body| body.strip_prefix("stream")) else {
            return false;
        };
        let head = json!({
            "statusCode": 201,
            "headers": {"x-streamed": "yes"},
            "cookies": ["a=1", "b=2"],
        });
        let first = match how.trim() {
            "garbage" => b"no head at all".to_vec(),
            _ => [head.to_string().as_bytes(), &[0; 8], b"first,"].concat(),
        };
        let path = format!("{RUNTIME}/invocation/{id}/response");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\
             Content-Type: application/vnd.awslambda.http-integration-response\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            self.1
        );
        self.0.get_mut().write_all(request.as_bytes()).expect("the Runtime API reads");
        self.chunk(&first);
        match how.trim() {
            "exit" => {
                // What was written must have arrived before the end.
                self.0.get_mut().flush().expect("the Runtime API reads");
                std::process::exit(3);
            }
            "" | "garbage" => {}
            gate => {
                let mut gate = TcpStream::connect(gate).expect("the test listens");
                let _ = gate.read(&mut [0; 1]);
            }
        }
        self.chunk(b"second");
        self.chunk(b"");
        self.answer();
        true
    }

    /// Closes the connection in the middle of a result if the event's body says so, and asks for the next event by
    /// another, or never.
    fn breaks_off(&mut self, id: &str, event: &[u8]) -> bool {
        let parsed: Value = serde_json::from_slice(event).unwrap_or_default();
        let next = match parsed["body"].as_str() {
            Some("half and next") => true,
            Some("half") => false,
            _ => return false,
        };
        let request = format!(
            "POST {RUNTIME}/invocation/{id}/response HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\n{{\"half\"",
            self.1
        );
        self.0.get_mut().write_all(request.as_bytes()).expect("the Runtime API reads");
        *self = Self::connect(&self.1);
        if !next {
            wait_for_ever();
        }
        true
    }

    fn chunk(&mut self, data: &[u8]) {
        let framed = [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
        self.0.get_mut().write_all(&framed).expect("the Runtime API reads");
    }

    fn call(&mut self, method: &str, path: &str, body: &[u8]) -> (String, Vec<u8>) {
        let head = format!(
            "{method} {RUNTIME}{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            self.1,
            body.len()
        );
        let stream = self.0.get_mut();
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body))
            .expect("the Runtime API reads");
        self.answer()
    }

    fn answer(&mut self) -> (String, Vec<u8>) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).expect("the Runtime API answers") == 0 {
                std::process::exit(0);
            }
        }
        let length = header(&head, "content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the answer is complete");
        (head, body)
    }
}
