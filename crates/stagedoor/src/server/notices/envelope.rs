//! An event as EventBridge's targets receive it.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>

use serde::Serialize;
use serde_json::Value;
use stagedoor_auth::sigv4::Payload;
use stagedoor_model::Timestamp;
use stagedoor_state::Key;
use stagedoor_state::ivs::notice::Notice;

/// An event about to be delivered.
pub struct Event {
    /// In the store.
    pub key: String,
    /// Events of one stage have the same; those of different stages do not depend on one another.
    pub stage: String,
    pub id: String,
    pub region: String,
    pub detail_type: String,
    pub resource: String,
    pub time: Timestamp,
    pub detail: Value,
    account: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    version: &'static str,
    id: &'a str,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    source: &'static str,
    account: &'a str,
    time: String,
    region: &'a str,
    resources: [&'a str; 1],
    detail: &'a Value,
}

impl Event {
    /// `None` for what is under no notice's key.
    pub fn new(key: &str, notice: &Notice) -> Option<Self> {
        let place = Key::parse::<Notice>(key)?;
        Some(Self {
            key: key.to_owned(),
            stage: key.rsplit_once('/')?.0.to_owned(),
            id: id(key),
            region: place.region,
            detail_type: notice.detail_type.clone(),
            resource: notice.resource.clone(),
            time: Timestamp::from_micros(notice.micros).whole_seconds(),
            detail: Value::Object(notice.detail.clone()),
            account: place.account,
        })
    }

    /// As JSON, on one line.
    pub fn json(&self) -> String {
        let envelope = Envelope {
            version: "0",
            id: &self.id,
            detail_type: &self.detail_type,
            source: "aws.ivs",
            account: &self.account,
            time: self.time.to_string(),
            region: &self.region,
            resources: [&self.resource],
            detail: &self.detail,
        };
        serde_json::to_string(&envelope).unwrap_or_default()
    }
}

/// A UUID (version 8, RFC 9562) made of the event's key: one that is delivered twice has the same id both times.
fn id(key: &str) -> String {
    let hash = Payload::Bytes(key.as_bytes()).sha256_hex();
    format!("{}-{}-8{}-a{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_envelope_has_all_that_eventbridge_adds() {
        let notice = Notice {
            detail_type: "IVS Stage Update".to_owned(),
            micros: 1_704_067_200_900_000,
            resource: "arn:aws:ivs:eu-west-1:123456789012:stage/a".to_owned(),
            detail: json!({"event_name": "x"}).as_object().cloned().unwrap_or_default(),
            delivered: Vec::new(),
        };
        let event = Event::new("ivs-notice/123456789012/eu-west-1/a/0", &notice).expect("a notice's key");
        let expected = format!(
            r#"{{"version":"0","id":"{}","detail-type":"IVS Stage Update","source":"aws.ivs","account":"123456789012","time":"2024-01-01T00:00:00Z","region":"eu-west-1","resources":["{}"],"detail":{{"event_name":"x"}}}}"#,
            event.id, notice.resource
        );
        assert_eq!(event.json(), expected);
        assert_eq!(event.id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_ne!(id("a"), id("b"));
    }
}
