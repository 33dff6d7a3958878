//! Asynchronous invocations: accepted at once, done later, tried again if the function fails, and never given up in
//! silence.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>: a function that fails is invoked twice more,
//! after one minute and after two; one that has no room is waited for; what is older than the greatest age is given
//! up. What is given up goes to the on-failure destination. The queue is memory: what it holds when the server ends is
//! told to the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::FunctionArn;
use super::job::{Order, Returned};
use super::pool::Pool;
use crate::fault::GatewayFault;

/// Invocations of one function that are not done yet; more are refused as by a function without room.
const EVENTS_MAX: usize = 1000;
/// Their events together, in KiB.
const EVENTS_KIB_MAX: u32 = 64 * 1024;

/// The functions that run here, by name.
pub(super) type Declared = HashMap<String, Arc<Pool>>;

/// What waits of one function.
pub(super) struct Room {
    count: Arc<Semaphore>,
    kib: Arc<Semaphore>,
}

/// The place of one invocation, from its acceptance to its end.
struct Place {
    _one: OwnedSemaphorePermit,
    _kib: OwnedSemaphorePermit,
}

impl Default for Room {
    fn default() -> Self {
        let count = Arc::new(Semaphore::new(EVENTS_MAX));
        Self { count, kib: Arc::new(Semaphore::new(EVENTS_KIB_MAX as usize)) }
    }
}

impl Room {
    fn take(&self, bytes: usize) -> Option<Place> {
        let kib = u32::try_from(bytes / 1024 + 1).ok()?;
        let one = Arc::clone(&self.count).try_acquire_owned().ok()?;
        let kib = Arc::clone(&self.kib).try_acquire_many_owned(kib).ok()?;
        Some(Place { _one: one, _kib: kib })
    }
}

/// Takes an invocation on.
///
/// # Errors
/// [`GatewayFault::FunctionThrottled`] if too many are not done yet.
pub(super) fn accept(
    declared: &Arc<Declared>,
    pool: &Arc<Pool>,
    order: Order,
    id: String,
) -> Result<(), GatewayFault> {
    let place = pool.events.take(order.payload.len()).ok_or(GatewayFault::FunctionThrottled)?;
    let event = Event { id, order, accepted: Instant::now(), attempts: 0, last: None };
    let (declared, pool) = (Arc::clone(declared), Arc::clone(pool));
    // A server that stops must not overlook what was accepted a moment ago.
    let counted = pool.census.invocation();
    let census = Arc::clone(&pool.census);
    census.spawn(async move {
        let (_place, _counted) = (place, counted);
        event.run(&declared, &pool).await;
    });
    Ok(())
}

struct Event {
    id: String,
    order: Order,
    accepted: Instant,
    /// Invocations so far.
    attempts: usize,
    /// How the last of them failed.
    last: Option<Bytes>,
}

/// Why an event is given up; its name is what AWS tells destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
}

impl Event {
    async fn run(mut self, declared: &Arc<Declared>, pool: &Arc<Pool>) {
        let limits = &pool.function.asynchronous;
        loop {
            let Some(left) = limits.age_max.checked_sub(self.accepted.elapsed()) else {
                return self.give_up(Condition::EventAgeExceeded, declared, pool);
            };
            match pool.invoke_event(&self.order, &self.id, left).await {
                Ok(Returned { failed: false, .. }) => return,
                Ok(returned) => self.last = Some(returned.payload),
                Err(GatewayFault::FunctionThrottled) => {
                    return self.give_up(Condition::EventAgeExceeded, declared, pool);
                }
                Err(_) => return self.lose(pool),
            }
            self.attempts += 1;
            if pool.census.is_stopped() {
                return self.lose(pool);
            }
            let Some(&wait) = limits.retry_waits.get(self.attempts - 1) else {
                return self.give_up(Condition::RetriesExhausted, declared, pool);
            };
            if self.accepted.elapsed() + wait > limits.age_max {
                return self.give_up(Condition::EventAgeExceeded, declared, pool);
            }
            warn!(
                function = pool.function.name,
                request_id = self.id,
                attempts = self.attempts,
                error = %self.said(),
                "an asynchronous invocation failed; it is tried again in {wait:?}"
            );
            tokio::select! {
                () = sleep(wait) => {}
                () = pool.census.until_closing() => return self.lose(pool),
            }
        }
    }

    /// The server ends before the event is done.
    fn lose(&self, pool: &Pool) {
        warn!(
            function = pool.function.name,
            request_id = self.id,
            attempts = self.attempts,
            payload = %excerpt(&self.order.payload),
            "an asynchronous invocation is lost: the server stops before it is done"
        );
    }

    fn give_up(&self, condition: Condition, declared: &Arc<Declared>, pool: &Arc<Pool>) {
        let function = &pool.function.name;
        let destination = pool.function.asynchronous.on_failure.as_deref();
        warn!(
            function,
            request_id = self.id,
            attempts = self.attempts,
            ?condition,
            error = %self.said(),
            payload = %excerpt(&self.order.payload),
            destination,
            "an asynchronous invocation is given up"
        );
        let Some((destination, target)) = destination.and_then(|name| Some((name, declared.get(name)?)))
        else {
            return;
        };
        let told = self.told(condition, (pool.now)());
        let function =
            FunctionArn { name: destination.to_owned(), qualifier: None, ..self.order.function.clone() };
        let order = Order { function, payload: told.into(), ..self.order.clone() };
        if order.payload.len() > super::ASYNCHRONOUS_EVENT_BYTES_MAX {
            warn!(destination, "the record of the failure is too long for its destination");
        } else if accept(declared, target, order, target.new_id()).is_err() {
            warn!(destination, "the destination has no room for the record of the failure");
        }
    }

    /// The record that destinations get.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
    fn told(&self, condition: Condition, now: Duration) -> String {
        let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let mut arn = self.order.function.clone();
        arn.qualifier.get_or_insert_with(|| "$LATEST".to_owned());
        let mut record = serde_json::json!({
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "requestContext": {
                "requestId": self.id,
                "functionArn": arn.to_string(),
                "condition": format!("{condition:?}"),
                "approximateInvokeCount": self.attempts,
            },
        });
        if self.last.is_some() {
            record["responseContext"] = serde_json::json!({
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            });
        }
        let raw = |json: &Bytes| serde_json::from_slice::<Box<RawValue>>(json).ok();
        let record = Record {
            record,
            request_payload: raw(&self.order.payload),
            response_payload: self.last.as_ref().and_then(raw),
        };
        serde_json::to_string(&record).expect("JSON values and text that was parsed as JSON")
    }

    fn said(&self) -> String {
        self.last.as_ref().map(excerpt).unwrap_or_default()
    }
}

/// What is known, and both payloads as they were.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    record: Value,
    request_payload: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<Box<RawValue>>,
}

/// How much of a payload the log tells, in characters.
const EXCERPT_MAX: usize = 1000;

fn excerpt(payload: &Bytes) -> String {
    String::from_utf8_lossy(payload).chars().take(EXCERPT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::job::Kind;
    use super::*;

    fn event(last: Option<&str>) -> Event {
        let function = FunctionArn::of_integration("arn:aws:lambda:eu-west-1:111122223333:function:pets");
        Event {
            id: "an-id".to_owned(),
            order: Order {
                function: function.expect("an ARN"),
                kind: Kind::Event,
                payload: Bytes::from_static(b"{\"a\": 1.50}"),
                trace: String::new(),
                client_context: None,
                tail: false,
                stream: None,
            },
            accepted: Instant::now(),
            attempts: 3,
            last: last.map(|last| last.to_owned().into()),
        }
    }

    #[tokio::test]
    async fn destinations_are_told_as_by_aws() {
        let now = Duration::from_millis(1_700_000_000_050);
        let told = event(Some(r#"{"errorMessage":"no"}"#)).told(Condition::RetriesExhausted, now);
        let expected = json!({
            "version": "1.0",
            "timestamp": "2023-11-14T22:13:20.050Z",
            "requestContext": {
                "requestId": "an-id",
                "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:pets:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": {"a": 1.5},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "no"},
        });
        assert_eq!(serde_json::from_str::<Value>(&told).expect("JSON"), expected);
        assert!(told.contains(r#""requestPayload":{"a": 1.50}"#), "as it was: {told}");
        let told = event(None).told(Condition::EventAgeExceeded, now);
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!((&told["responseContext"], &told["responsePayload"]), (&Value::Null, &Value::Null));
        assert_eq!(told["requestContext"]["condition"], "EventAgeExceeded");
    }

    #[test]
    fn room_is_bounded_by_number_and_bytes() {
        let room = Room::default();
        let taken: Vec<_> = (0..63).map(|_| room.take(1024 * 1024)).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(room.take(1024 * 1024).is_none(), "each takes a little more than its bytes");
        let small: Vec<_> = (0..EVENTS_MAX - 63).map(|_| room.take(1)).collect();
        assert!(small.iter().all(Option::is_some));
        assert!(room.take(1).is_none(), "there are as many as there may be");
        drop(taken);
        assert!(room.take(1).is_some());
    }
}
