//! `PATCH` of a session: trickled candidates and ICE restarts (RFC 9725 §4.3; WHEP's draft has the same).
//!
//! | `If-Match` | fragment | answer |
//! |---|---|---|
//! | missing | any | 428 |
//! | not the present ETag | any | 412 |
//! | the present ETag, or `*` | candidates, or the credentials that are known | 204; the peer's checks show the paths by themselves |
//! | the present ETag, or `*` | new credentials | 200, our new credentials, a new ETag |
//!
//! A restart changes the credentials alone: DTLS, streams and numbers go on, and media uses the old path until the peer
//! has chosen a new one. It is refused only before anything was changed.

use std::sync::Arc;

use bytes::Bytes;
use http::header::IF_MATCH;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use super::reply::{self, Problem};
use super::{is_type, text};
use crate::engine::IceRestart;
use crate::sdp::fragment::{self, Credentials};
use crate::service::{Handle, Inner};
use crate::shard::Command;
use crate::world::random_name;

use super::connect::{PASSWORD_CHARS, UFRAG_CHARS};

impl Handle {
    pub(super) async fn patch<B>(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !is_type(headers, "application/trickle-ice-sdpfrag") {
            return Err(Problem::unsupported("application/trickle-ice-sdpfrag"));
        }
        let body = self.read(body).await?;
        let fragment =
            std::str::from_utf8(&body).map_err(|_| Problem::bad("The fragment is not UTF-8 text."))?;
        let theirs = fragment::credentials(fragment).map_err(Problem::bad)?;
        self.inner.patch(id, text(headers, &IF_MATCH), theirs)
    }
}

impl Inner {
    fn patch(
        &self,
        id: &str,
        if_match: Option<&str>,
        theirs: Option<Credentials>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        // Under one lock, so that of two restarts the one that the shard hears last is also the one whose ETag stays.
        self.change(|presence, _| {
            let Some((key, session)) = presence.resource_mut(id) else {
                return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such session."));
            };
            match if_match {
                None => {
                    let missing = "The If-Match header is missing.";
                    return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, missing));
                }
                Some(tag) if tag == "*" || tag == session.etag => {}
                Some(_) => {
                    let other = "The ETag is not this session's.";
                    return Err(Problem::new(StatusCode::PRECONDITION_FAILED, other));
                }
            }
            let Some(theirs) = theirs.filter(|theirs| theirs.ufrag != session.peer_ufrag) else {
                return Ok(reply::no_content());
            };
            let ours = Credentials {
                ufrag: self.shards.ice_ufrag(key, &*self.world, UFRAG_CHARS),
                password: random_name(&*self.world, PASSWORD_CHARS),
            };
            let peer_ufrag = theirs.ufrag.clone();
            let restart = Arc::new(IceRestart { ours: ours.clone(), theirs });
            self.shards.send(Command::Restart(key, restart)).map_err(|_| {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The server is overloaded.").retry_after(1)
            })?;
            session.peer_ufrag = peer_ufrag;
            session.etag = format!("\"{}\"", ours.ufrag);
            let tcp = if self.config.tcp { self.candidates.as_slice() } else { &[] };
            let body = fragment::restarted(&session.fragment_head, &ours, &self.candidates, tcp);
            Ok(reply::restarted(session, body))
        })
    }
}
