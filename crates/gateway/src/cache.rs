//! Answers of a stage that are given again: which they are, for how long, and how much memory they take.
//!
//! Entries are chosen by a [`Key`]; which answers have one is said by [`crate::steps::cache`]. What is given up first
//! when the memory is used up is the library's choice (`quick_cache`, which keeps what is asked for often).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::answer_names::Spelt;
use crate::body::{self, Body, BodyError};

/// The longest body that is kept, in bytes: AWS's quota.
const BODY_BYTES_MAX: usize = 1_048_576;
/// What an entry takes besides what it holds, roughly.
const ENTRY_BYTES: usize = 256;
/// Entries that a new cache has room for without growing.
const ENTRIES_EXPECTED: usize = 64;

/// The cache of a stage or of its canary.
pub(crate) struct ResponseCache {
    entries: Cache<Key, Arc<Entry>, Bytewise>,
    bytes_max: u64,
    /// How often the stage's cache had been flushed when this one was made.
    epoch: u64,
}

/// What an answer is kept under: a namespace, a verb and the values of parameters. Equal only if all of them are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key(Vec<u8>);

/// An answer.
pub(crate) struct Entry {
    status: StatusCode,
    headers: HeaderMap,
    spelt: Option<Spelt>,
    body: Bytes,
    expires: Instant,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<Key, Arc<Entry>> for Bytewise {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        let headers: usize =
            entry.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        (ENTRY_BYTES + key.0.len() + headers + entry.body.len()) as u64
    }
}

impl Key {
    /// Adds a part. Its length comes first, so that no two lists of parts make the same key.
    pub(crate) fn push(&mut self, part: &str) {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part.as_bytes());
    }

    /// Adds the values of a parameter.
    pub(crate) fn push_all(&mut self, values: &[impl AsRef<str>]) {
        self.0.extend_from_slice(&(values.len() as u64).to_le_bytes());
        values.iter().for_each(|value| self.push(value.as_ref()));
    }
}

impl ResponseCache {
    /// The cache as it is, if its size and epoch are these; else an empty one, as AWS makes.
    pub(crate) fn carried(before: Option<&Arc<Self>>, bytes_max: u64, epoch: u64) -> Arc<Self> {
        let same = |cache: &&Arc<Self>| (cache.bytes_max, cache.epoch) == (bytes_max, epoch);
        before.filter(same).cloned().unwrap_or_else(|| {
            let entries = Cache::with_weighter(ENTRIES_EXPECTED, bytes_max, Bytewise);
            Arc::new(Self { entries, bytes_max, epoch })
        })
    }

    /// The answer kept under this key, unless its time is over.
    pub(crate) fn get(&self, key: &Key, now: Instant) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key)?;
        if entry.expires <= now {
            self.entries.remove(key);
            return None;
        }
        Some(entry)
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.entries.remove(key);
    }

    fn put(&self, key: Key, entry: Entry) {
        self.entries.insert(key, Arc::new(entry));
    }
}

impl Entry {
    pub(crate) fn response(&self) -> Response<Body> {
        let body = if self.body.is_empty() { body::empty() } else { body::full(self.body.clone()) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        if let Some(spelt) = &self.spelt {
            response.extensions_mut().insert(spelt.clone());
        }
        response
    }
}

/// An answer that is to be kept once it is complete.
pub(crate) struct Pending {
    pub(crate) cache: Arc<ResponseCache>,
    pub(crate) key: Key,
    pub(crate) ttl: Duration,
}

impl Pending {
    /// The same answer, which is kept when its body has passed whole and was not too long.
    pub(crate) fn keep(self, response: Response<Body>) -> Response<Body> {
        use http_body::Body as _;
        let (head, body) = response.into_parts();
        let too_long = body.size_hint().lower() > BODY_BYTES_MAX as u64;
        let (headers, spelt) = (head.headers.clone(), head.extensions.get().cloned());
        let kept = Kept { pending: self, status: head.status, headers, spelt, body: BytesMut::new() };
        if body.is_end_stream() {
            kept.finish();
            return Response::from_parts(head, body);
        }
        if too_long {
            return Response::from_parts(head, body);
        }
        Response::from_parts(head, Recorded { body, kept: Some(kept) }.boxed())
    }
}

struct Kept {
    pending: Pending,
    status: StatusCode,
    headers: HeaderMap,
    spelt: Option<Spelt>,
    body: BytesMut,
}

impl Kept {
    fn finish(self) {
        let Pending { cache, key, ttl } = self.pending;
        let expires = Instant::now() + ttl;
        let Self { status, headers, spelt, .. } = self;
        cache.put(key, Entry { status, headers, spelt, body: self.body.freeze(), expires });
    }
}

/// A body that is copied on its way.
struct Recorded {
    body: Body,
    kept: Option<Kept>,
}

impl Recorded {
    fn saw(&mut self, frame: Option<&Result<Frame<Bytes>, BodyError>>) {
        use http_body::Body as _;
        let Some(mut kept) = self.kept.take() else { return };
        match frame {
            // Broken off, or with trailers, which are not kept.
            Some(Err(_)) => return,
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) if kept.body.len() + data.len() <= BODY_BYTES_MAX => {
                    kept.body.extend_from_slice(data)
                }
                _ => return,
            },
            None => return kept.finish(),
        }
        // Whoever reads a body of known length need not ask again after its last part.
        if self.body.is_end_stream() {
            kept.finish();
        } else {
            self.kept = Some(kept);
        }
    }
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &polled {
            self.saw(frame.as_ref());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn key(parts: &[Vec<String>]) -> Key {
        let mut key = Key::default();
        parts.iter().for_each(|values| key.push_all(values));
        key
    }

    async fn keep(cache: &Arc<ResponseCache>, key: Key, body: String) {
        let pending = Pending { cache: Arc::clone(cache), key, ttl: Duration::from_secs(60) };
        let response = pending.keep(Response::new(body::full(body)));
        response.into_body().collect().await.expect("a body in memory");
    }

    async fn found(cache: &ResponseCache, key: &Key) -> Option<Bytes> {
        let entry = cache.get(key, Instant::now())?;
        let collected = entry.response().into_body().collect().await;
        Some(collected.expect("a body in memory").to_bytes())
    }

    fn some_parts() -> impl Strategy<Value = Vec<Vec<String>>> {
        prop::collection::vec(prop::collection::vec("[ab\u{0}\u{1}/]{0,3}", 0..3), 0..3)
    }

    fn on_runtime(future: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(future);
    }

    proptest! {
        /// What comes back for a key is what was last kept under it, or nothing.
        #[test]
        fn an_entry_is_never_served_for_another_key(
            steps in prop::collection::vec((some_parts(), any::<bool>(), "[xy]{0,40}"), 1..80),
            bytes_max in prop_oneof![Just(1_000_000_u64), 2_000_u64..6_000],
        ) {
            on_runtime(async move {
                let cache = ResponseCache::carried(None, bytes_max, 0);
                let mut model: HashMap<Vec<Vec<String>>, String> = HashMap::new();
                for (parts, write, body) in steps {
                    if write {
                        keep(&cache, key(&parts), body.clone()).await;
                        model.insert(parts, body);
                    } else if let Some(found) = found(&cache, &key(&parts)).await {
                        assert_eq!(model.get(&parts).map(String::as_bytes), Some(&*found));
                    }
                    assert!(cache.entries.weight() <= bytes_max);
                }
                if bytes_max == 1_000_000 {
                    for (parts, body) in &model {
                        assert_eq!(found(&cache, &key(parts)).await.as_deref(), Some(body.as_bytes()));
                    }
                }
            });
        }
    }

    #[tokio::test]
    async fn entries_end() {
        let cache = ResponseCache::carried(None, 1_000_000, 0);
        keep(&cache, Key::default(), "x".to_owned()).await;
        let after = |seconds| cache.get(&Key::default(), Instant::now() + Duration::from_secs(seconds));
        assert!(after(50).is_some());
        assert!(after(61).is_none());
        assert!(after(0).is_none(), "what has ended is dropped");
    }

    #[tokio::test]
    async fn too_long_answers_are_not_kept() {
        let cache = ResponseCache::carried(None, 100_000_000, 0);
        keep(&cache, Key::default(), "x".repeat(BODY_BYTES_MAX + 1)).await;
        assert!(cache.get(&Key::default(), Instant::now()).is_none());
        keep(&cache, Key::default(), "x".repeat(BODY_BYTES_MAX)).await;
        assert!(cache.get(&Key::default(), Instant::now()).is_some());
    }

    #[test]
    fn another_size_or_epoch_is_another_cache() {
        let cache = ResponseCache::carried(None, 1_000, 0);
        let same =
            |bytes_max, epoch| Arc::ptr_eq(&ResponseCache::carried(Some(&cache), bytes_max, epoch), &cache);
        assert_eq!([same(1_000, 0), same(2_000, 0), same(1_000, 1)], [true, false, false]);
    }
}
