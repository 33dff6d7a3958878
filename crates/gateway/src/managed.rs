//! Which requests to a stage's address are calls of the management API: `/{stage}/@connections/{id}` of a WebSocket
//! API. Answering them is the binary's, who knows the keys that sign them.

use std::borrow::Cow;

use http::Uri;

use crate::Address;
use crate::address::decoded;
use crate::http_api::plan::Api;
use crate::plans::Plan;

const CONNECTIONS: &str = "@connections";

/// A call of the management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// Whose API it is.
    pub account: String,
    pub region: String,
    pub api: String,
    /// The stage, if the API has it.
    pub stage: Option<String>,
    /// What the operation is found by: `/@connections/{id}`, the id as it was sent.
    pub path: String,
}

/// The call that a request to this address is; `None` if it is any other request.
pub(crate) fn of(plan: Option<&Plan>, address: &Address, uri: &Uri) -> Option<Managed> {
    let Some(Plan::Http(api)) = plan else { return None };
    let path = address.path(uri);
    let (stage, rest) = match &address.stage {
        Some(stage) => (Cow::Borrowed(stage.as_str()), path),
        None => {
            let path = path.strip_prefix('/')?;
            let (stage, _) = path.split_once('/')?;
            (decoded(stage).into(), &path[stage.len()..])
        }
    };
    let mut segments = rest.strip_prefix('/')?.splitn(2, '/');
    let marked = decoded(segments.next()?) == CONNECTIONS;
    let id = segments.next().filter(|_| marked && is_websocket(api))?;
    Some(Managed {
        account: api.owner.account.clone(),
        region: api.owner.region.clone(),
        api: api.owner.api.clone(),
        stage: api.stages.contains_key(&*stage).then(|| stage.into_owned()),
        path: format!("/{CONNECTIONS}/{id}"),
    })
}

/// What is not deployed to any stage yet may become one.
fn is_websocket(api: &Api) -> bool {
    api.stages.values().all(|stage| stage.deployed.websocket)
}
