//! Asynchronous invocations: accepted at once, done later, tried again if the function fails, and never given up in
//! silence.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>: a function that fails is invoked twice more,
//! after one minute and after two; one that has no room is waited for; what is older than the greatest age is given
//! up. What is given up goes to the on-failure destination. What is accepted is written down first
//! ([`WaitingEvents`]) and goes on at the next start if the server ends: it is done at least once. Without anybody who
//! writes it down, the queue is memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use stagedoor_state::lambda::{WaitingEvent, WaitingKey};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::job::{Kind, Order, Returned};
use super::pool::Pool;
use super::{FunctionArn, WaitingEvents};
use crate::fault::GatewayFault;

/// Invocations of one function that are not done yet; more are refused as by a function without room.
const EVENTS_MAX: usize = 1000;
/// Their events together, in KiB.
const EVENTS_KIB_MAX: u32 = 64 * 1024;
/// How much is written down of a failure, in bytes: all of it, in most cases.
const FAILURE_BYTES_MAX: usize = 256 * 1024;
/// Greatest age that AWS lets an event reach. An event whose function is declared no more is kept for as long.
const AGE_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// The functions that run here.
pub(super) struct Declared {
    /// By name.
    pub(super) pools: HashMap<String, Arc<Pool>>,
    pub(super) waiting: Option<Arc<dyn WaitingEvents>>,
}

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
        let one = Arc::clone(&self.count).try_acquire_owned().ok()?;
        let kib = Arc::clone(&self.kib).try_acquire_many_owned(kib(bytes)).ok()?;
        Some(Place { _one: one, _kib: kib })
    }

    /// For one that was accepted before.
    async fn wait(&self, bytes: usize) -> Option<Place> {
        let one = Arc::clone(&self.count).acquire_owned().await.ok()?;
        let kib = Arc::clone(&self.kib).acquire_many_owned(kib(bytes).min(EVENTS_KIB_MAX)).await.ok()?;
        Some(Place { _one: one, _kib: kib })
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX)
}

/// Takes an invocation on. The receiver hears when it is accepted; it fails if it cannot be written down.
///
/// # Errors
/// [`GatewayFault::FunctionThrottled`] if too many are not done yet.
pub(super) fn accept(
    declared: &Arc<Declared>,
    pool: &Arc<Pool>,
    order: Order,
    id: String,
) -> Result<oneshot::Receiver<()>, GatewayFault> {
    let place = pool.events.take(order.payload.len()).ok_or(GatewayFault::FunctionThrottled)?;
    let event = Event::new(id, order);
    let (declared, pool) = (Arc::clone(declared), Arc::clone(pool));
    // A server that stops must not overlook what was accepted a moment ago.
    let counted = pool.census.invocation();
    let census = Arc::clone(&pool.census);
    let (accepted, hears) = oneshot::channel();
    // Whoever asks may go while it is written: what is written is done.
    census.spawn(async move {
        let (_place, _counted) = (place, counted);
        if let Some(waiting) = &declared.waiting
            && waiting.add(event.key(), event.written(&pool, Duration::ZERO)).await.is_err()
        {
            return;
        }
        let _ = accepted.send(());
        event.run(&declared, &pool).await;
    });
    Ok(hears)
}

/// Goes on with what was accepted and not done when the last server ended.
pub(super) fn resume(declared: &Arc<Declared>, events: Vec<(WaitingKey, WaitingEvent)>, now: Duration) {
    for (key, written) in events {
        let function = FunctionArn::of_integration(&written.function);
        let known = function.and_then(|arn| Some((declared.pools.get(&arn.name)?, arn)));
        let Some((pool, function)) = known else {
            unknown(declared, key, &written, now);
            continue;
        };
        let (event, due) = Event::read(key.id, function, written, now);
        let (declared, pool) = (Arc::clone(declared), Arc::clone(pool));
        let counted = pool.census.invocation();
        let census = Arc::clone(&pool.census);
        let bytes = event.order.payload.len();
        let place = pool.events.take(bytes);
        census.spawn(async move {
            let _counted = counted;
            let _place = match place {
                None => pool.events.wait(bytes).await,
                known => known,
            };
            if event.waits(due, &pool).await {
                event.run(&declared, &pool).await;
            }
        });
    }
}

/// An event whose function is not declared any more. That may be a mistake of today's configuration.
fn unknown(declared: &Declared, key: WaitingKey, event: &WaitingEvent, now: Duration) {
    let age = now.saturating_sub(Duration::from_millis(event.accepted_millis));
    let given_up = age > AGE_MAX;
    warn!(
        function = event.function,
        request_id = key.id,
        given_up,
        "an asynchronous invocation has no function"
    );
    if let Some(waiting) = declared.waiting.as_ref().filter(|_| given_up) {
        waiting.remove(key);
    }
}

struct Event {
    id: String,
    order: Order,
    /// Its age at the moment `since`.
    age: Duration,
    since: Instant,
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
    fn new(id: String, order: Order) -> Self {
        Self { id, order, age: Duration::ZERO, since: Instant::now(), attempts: 0, last: None }
    }

    /// From what was written, and how long it still waits for its next attempt.
    fn read(id: String, function: FunctionArn, written: WaitingEvent, now: Duration) -> (Self, Duration) {
        let WaitingEvent { payload, trace, client_context, .. } = written;
        let order = Order {
            function,
            kind: Kind::Event,
            payload: payload.into(),
            trace,
            client_context,
            tail: false,
            stream: None,
        };
        let event = Self {
            age: now.saturating_sub(Duration::from_millis(written.accepted_millis)),
            attempts: usize::try_from(written.attempts).unwrap_or(usize::MAX),
            last: written.failure.map(Bytes::from),
            ..Self::new(id, order)
        };
        (event, Duration::from_millis(written.due_millis).saturating_sub(now))
    }

    /// As it is written down, due after this time.
    fn written(&self, pool: &Pool, due: Duration) -> WaitingEvent {
        let now = (pool.now)();
        let failure = self.last.as_ref().map(|last| &last[..last.len().min(FAILURE_BYTES_MAX)]);
        WaitingEvent {
            function: self.order.function.to_string(),
            payload: String::from_utf8_lossy(&self.order.payload).into_owned(),
            trace: self.order.trace.clone(),
            client_context: self.order.client_context.clone(),
            accepted_millis: millis(now.saturating_sub(self.age())),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            due_millis: millis(now + due),
            failure: failure.map(|failure| String::from_utf8_lossy(failure).into_owned()),
        }
    }

    fn key(&self) -> WaitingKey {
        let FunctionArn { account, region, .. } = &self.order.function;
        WaitingKey { account: account.clone(), region: region.clone(), id: self.id.clone() }
    }

    fn age(&self) -> Duration {
        self.age + self.since.elapsed()
    }

    async fn run(mut self, declared: &Arc<Declared>, pool: &Arc<Pool>) {
        let limits = &pool.function.asynchronous;
        loop {
            let Some(left) = limits.age_max.checked_sub(self.age()) else {
                return self.give_up(Condition::EventAgeExceeded, declared, pool).await;
            };
            match pool.invoke_event(&self.order, &self.id, left).await {
                Ok(Returned { failed: false, .. }) => return self.is_done(declared),
                Ok(returned) => self.last = Some(returned.payload),
                Err(GatewayFault::FunctionThrottled) => {
                    return self.give_up(Condition::EventAgeExceeded, declared, pool).await;
                }
                Err(_) => return self.is_left(declared, pool),
            }
            if pool.census.is_stopped() {
                // The function may have failed because it was ended.
                return self.is_left(declared, pool);
            }
            self.attempts += 1;
            let Some(&wait) = limits.retry_waits.get(self.attempts - 1) else {
                return self.give_up(Condition::RetriesExhausted, declared, pool).await;
            };
            if self.age() + wait > limits.age_max {
                return self.give_up(Condition::EventAgeExceeded, declared, pool).await;
            }
            warn!(
                function = pool.function.name,
                request_id = self.id,
                attempts = self.attempts,
                error = %self.said(),
                "an asynchronous invocation failed; it is tried again in {wait:?}"
            );
            if let Some(waiting) = &declared.waiting {
                waiting.change(self.key(), self.written(pool, wait));
            }
            if !self.waits(wait, pool).await {
                return self.is_left(declared, pool);
            }
        }
    }

    /// Waits, unless the server ends; whether it does not.
    async fn waits(&self, wait: Duration, pool: &Pool) -> bool {
        tokio::select! {
            () = sleep(wait) => true,
            () = pool.census.until_closing() => false,
        }
    }

    fn is_done(&self, declared: &Declared) {
        if let Some(waiting) = &declared.waiting {
            waiting.remove(self.key());
        }
    }

    /// The server ends before the event is done.
    fn is_left(&self, declared: &Declared, pool: &Pool) {
        let (function, request_id, attempts) = (&pool.function.name, &self.id, self.attempts);
        if declared.waiting.is_some() {
            info!(function, request_id, attempts, "an asynchronous invocation waits for the next start");
            return;
        }
        let payload = excerpt(&self.order.payload);
        warn!(
            function,
            request_id,
            attempts,
            payload,
            "an asynchronous invocation is lost: the server stops before it is done"
        );
    }

    async fn give_up(&self, condition: Condition, declared: &Arc<Declared>, pool: &Arc<Pool>) {
        let destination = pool.function.asynchronous.on_failure.as_deref();
        warn!(
            function = pool.function.name,
            request_id = self.id,
            attempts = self.attempts,
            ?condition,
            error = %self.said(),
            payload = %excerpt(&self.order.payload),
            destination,
            "an asynchronous invocation is given up"
        );
        if let Some(destination) = destination {
            self.tell(destination, condition, declared, pool).await;
        }
        // Not before its destination has it for certain.
        self.is_done(declared);
    }

    async fn tell(&self, destination: &str, condition: Condition, declared: &Arc<Declared>, pool: &Pool) {
        let Some(target) = declared.pools.get(destination) else { return };
        let told = self.told(condition, (pool.now)());
        let function =
            FunctionArn { name: destination.to_owned(), qualifier: None, ..self.order.function.clone() };
        let order = Order { function, payload: told.into(), ..self.order.clone() };
        if order.payload.len() > super::ASYNCHRONOUS_EVENT_BYTES_MAX {
            return warn!(destination, "the record of the failure is too long for its destination");
        }
        let Ok(accepted) = accept(declared, target, order, target.new_id()) else {
            return warn!(destination, "the destination has no room for the record of the failure");
        };
        if accepted.await.is_err() {
            warn!(destination, "the record of the failure could not be written down");
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

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn excerpt(payload: &Bytes) -> String {
    String::from_utf8_lossy(payload).chars().take(EXCERPT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(last: Option<&str>) -> Event {
        let function = FunctionArn::of_integration("arn:aws:lambda:eu-west-1:111122223333:function:pets");
        let order = Order {
            function: function.expect("an ARN"),
            kind: Kind::Event,
            payload: Bytes::from_static(b"{\"a\": 1.50}"),
            trace: String::new(),
            client_context: None,
            tail: false,
            stream: None,
        };
        let last = last.map(|last| last.to_owned().into());
        Event { attempts: 3, last, ..Event::new("an-id".to_owned(), order) }
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
