//! The execution log of one request: what its steps say while it runs, as API Gateway words it.
//!
//! Kept only for requests that somebody wants to know about; a step that speaks to nobody spends nothing. Where lines
//! go is not decided here.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::spelling;

/// Characters of a line that are kept (recorded), and what tells that there were more.
const LINE_CHARS_MAX: usize = 998;
const TRUNCATED: &str = " [TRUNCATED]";
/// Bytes of an event in a log group, with its prefix.
const EVENT_BYTES_MAX: usize = 1024;
/// Characters that remain of a secret, at its end: half of a shorter one, as in logs of AWS.
const SECRET_CHARS_SHOWN: usize = 6;

/// One of its lines.
#[derive(Debug)]
pub(crate) struct Event {
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) time: Duration,
    /// Without an end of line.
    pub(crate) text: String,
}

/// Collects lines.
#[derive(Debug)]
pub(crate) struct ExecutionLog {
    now: fn() -> Duration,
    lines: Mutex<Vec<Event>>,
    /// Header names as the client wrote them, where that is known.
    names: Vec<String>,
    detail: Detail,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// `ERROR`: why requests fail.
    Failures,
    /// `INFO`: also what is done.
    Steps,
    /// `dataTraceEnabled`: also headers and bodies.
    Data,
}

impl ExecutionLog {
    pub(crate) fn new(now: fn() -> Duration, names: Vec<String>) -> Self {
        Self { now, lines: Mutex::default(), names, detail: Detail::Data }
    }

    /// The same with less to tell.
    pub(crate) fn telling(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// Whether headers and bodies are told.
    pub(crate) fn tells_data(&self) -> bool {
        self.detail == Detail::Data
    }

    pub(crate) fn write(&self, text: String) {
        if self.detail == Detail::Failures || (!self.tells_data() && is_data(&text)) {
            return;
        }
        self.write_failure(text);
    }

    /// Writes what is told even where only failures are.
    pub(crate) fn write_failure(&self, text: String) {
        let line = Event { time: (self.now)(), text };
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The text that `TestInvokeMethod` answers.
    pub(crate) fn into_test_log(self, request_id: &str) -> String {
        let mut text = format!("Execution log for request {request_id}\n");
        for line in self.take() {
            let seconds = i64::try_from(line.time.as_secs()).unwrap_or(i64::MAX);
            let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
            let _ = writeln!(text, "{} : {}", time.strftime("%a %b %d %H:%M:%S UTC %Y"), cut(&line.text));
        }
        text
    }

    /// The client's headers as Java prints a map, secrets starred.
    pub(crate) fn sent_headers(&self, headers: &HeaderMap) -> String {
        printed(headers, |name| self.spelt(name))
    }

    /// As [`Self::sent_headers`], of every other message.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> String {
        printed(headers, spelling::answered)
    }

    fn spelt(&self, name: &HeaderName) -> String {
        let known = self.names.iter().find(|known| known.eq_ignore_ascii_case(name.as_str()));
        known.cloned().unwrap_or_else(|| spelling::answered(name))
    }
}

/// The events of a log group: each begins with the request's id.
pub(crate) fn events(log: &ExecutionLog, request_id: &str) -> Vec<Event> {
    let prefix = format!("({request_id}) ");
    let event = |line: Event| {
        let text = format!("{prefix}{}", line.text);
        Event { text: cut_to(&text, EVENT_BYTES_MAX), ..line }
    };
    log.take().into_iter().map(event).collect()
}

/// Whether a line tells of headers, parameters or bodies.
fn is_data(text: &str) -> bool {
    const BEGINNINGS: [&str; 3] = ["Method request ", "Method response ", "Endpoint "];
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// `{a=1, b=2}`
pub(crate) fn map(pairs: impl Iterator<Item = (String, String)>) -> String {
    let entries: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", entries.join(", "))
}

fn printed(headers: &HeaderMap, spelt: impl Fn(&HeaderName) -> String) -> String {
    map(headers.keys().map(|name| {
        let values: Vec<String> = headers.get_all(name).iter().map(|value| shown(name, value)).collect();
        (spelt(name), values.join(","))
    }))
}

fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let secret =
        *name == header::AUTHORIZATION || ["x-api-key", "x-amz-security-token"].contains(&name.as_str());
    if secret { starred(&text) } else { text.into_owned() }
}

/// All but the end of a secret as stars.
pub(crate) fn starred(text: &str) -> String {
    let chars = text.chars().count();
    let hidden = chars - SECRET_CHARS_SHOWN.min(chars / 2);
    text.chars().enumerate().map(|(at, letter)| if at < hidden { '*' } else { letter }).collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}{TRUNCATED}", &text[..end]),
        None => text.to_owned(),
    }
}

fn cut_to(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max - TRUNCATED.len());
    format!("{}{TRUNCATED}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> ExecutionLog {
        ExecutionLog::new(|| Duration::from_secs(1_700_000_000), vec!["x-oWn".to_owned()])
    }

    #[test]
    fn lines_have_their_form() {
        let lines = log();
        lines.write("Starting execution for request: id".to_owned());
        lines.write("x".repeat(2000));
        let text = lines.into_test_log("id");
        let mut seen = text.lines();
        assert_eq!(seen.next(), Some("Execution log for request id"));
        assert_eq!(seen.next(), Some("Tue Nov 14 22:13:20 UTC 2023 : Starting execution for request: id"));
        assert_eq!(seen.next().map(str::len), Some(31 + LINE_CHARS_MAX + TRUNCATED.len()));
        assert!(text.ends_with(" [TRUNCATED]\n"));
    }

    #[test]
    fn events_are_prefixed_and_short() {
        let lines = log();
        lines.write("é".repeat(2000));
        let events = events(&lines, "id");
        assert!(events[0].text.starts_with("(id) é") && events[0].text.len() <= EVENT_BYTES_MAX);
    }

    #[test]
    fn secrets_are_starred() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-own", "1"),
            ("authorization", "Bearer abcdef"),
            ("content-type", "a/b"),
            ("x-api-key", "key"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let shown = log().sent_headers(&headers);
        assert_eq!(shown, "{x-oWn=1, Authorization=*******abcdef, Content-Type=a/b, X-Api-Key=**y}");
    }
}
