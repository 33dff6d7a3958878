//! The management API of WebSocket stages: `PostToConnection`, `GetConnection`, `DeleteConnection`.
//!
//! Its calls are signed like those of a control plane and arrive at a stage's address. What they are about are the
//! gateway's connections; the store is not asked.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use stagedoor_api::apigatewaymanagementapi::{GetConnectionResponse, Identity, PostToConnectionRequest};
use stagedoor_gateway::{Connection, ConnectionKey, Managed, Outgoing, SendError};
use stagedoor_model::{Shape as _, Timestamp, Value, apigatewaymanagementapi};
use stagedoor_state::ids;
use stagedoor_wire::serve::{Call, accept_at};
use stagedoor_wire::{Fault, encode};

use super::clock::now;
use super::{Server, body, control};

/// Bytes of a message.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// Bytes that are read of a message, so that one that is too long is refused in the service's words.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Characters of a connection's id, the last of which is `=`.
const ID_LENGTH: usize = 16;

/// Answers a call.
pub async fn call(server: &Arc<Server>, request: Request<Incoming>, managed: Managed) -> Response<Bytes> {
    let request_id = ids::uuid(&ids::SystemEntropy);
    let service = &apigatewaymanagementapi::SERVICE;
    let (parts, incoming) = request.into_parts();
    let share = server.gateway.body_share();
    let body = match body::read(incoming, BODY_BYTES_MAX, &share).await {
        Ok(body) => body,
        Err(error) => return control::refuse(service, error, &request_id),
    };
    let authority = parts.uri.authority().map(ToString::to_string);
    let place = (&apigatewaymanagementapi::SERVICE, managed.path.as_str());
    let accepted = accept_at(place, &parts, &body, &server.keys, now(), authority.as_deref());
    let result = match accepted.call {
        Ok(call) => operate(server, &managed, call),
        // The one constraint of the model that a routed call can violate.
        Err(fault) if fault.code == "ValidationException" && body.len() > MESSAGE_BYTES_MAX => {
            Err(too_large())
        }
        Err(fault) => Err(fault),
    };
    let gone = matches!(&result, Err(fault) if fault.code == GONE);
    let response = encode::answer(service, accepted.operation, result, &request_id);
    if gone { response.map(|_| Bytes::new()) } else { response }
}

fn operate(server: &Server, managed: &Managed, call: Call) -> Result<Value, Fault> {
    let Call { operation, input, identity } = call;
    let own = identity.account == managed.account && identity.scope.region == managed.region;
    let stage = managed.stage.clone().filter(|_| own).ok_or_else(forbidden)?;
    let id = input.get("ConnectionId").and_then(Value::as_str).unwrap_or_default();
    if !is_id(id) {
        return Err(bad_id(id));
    }
    let key = ConnectionKey {
        account: managed.account.clone(),
        region: managed.region.clone(),
        api: managed.api.clone(),
        stage,
        id: id.to_owned(),
    };
    let connection = server.gateway.connections().find(&key).ok_or_else(gone)?;
    match operation.name {
        "PostToConnection" => {
            let input = PostToConnectionRequest::from_value(input)
                .map_err(|wrong| Fault::serialization(wrong.to_string()))?;
            send(&connection, Outgoing::Message(input.data))?;
            connection.active(now().as_micros());
            Ok(Value::Null)
        }
        "GetConnection" => Ok(shown(&connection).into_value()),
        "DeleteConnection" => send(&connection, Outgoing::Close).map(|()| Value::Null),
        other => Err(Fault::not_implemented(other)),
    }
}

fn send(connection: &Connection, outgoing: Outgoing) -> Result<(), Fault> {
    connection.send(outgoing).map_err(|error| match error {
        SendError::Gone => gone(),
        SendError::Full => Fault::new("LimitExceededException", 429, "Limit Exceeded"),
    })
}

fn shown(connection: &Connection) -> GetConnectionResponse {
    GetConnectionResponse {
        connected_at: Some(Timestamp::from_micros(connection.connected_at)),
        identity: Some(Identity {
            source_ip: Some(connection.source_ip.to_string()),
            user_agent: Some(connection.user_agent.clone()),
        }),
        last_active_at: Some(Timestamp::from_micros(connection.last_active())),
    }
}

/// Ids are base64url of eleven bytes.
fn is_id(id: &str) -> bool {
    let byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    id.len() == ID_LENGTH && id.strip_suffix('=').is_some_and(|id| id.bytes().all(byte))
}

const GONE: &str = "GoneException";

/// Answered without a body.
fn gone() -> Fault {
    Fault::new(GONE, 410, "")
}

/// Also the answer to a call that names no API or stage at all.
pub fn forbidden() -> Fault {
    Fault::new("ForbiddenException", 403, "Forbidden")
}

fn bad_id(id: &str) -> Fault {
    Fault::new("BadRequestException", 400, format!("Invalid connectionId: {id}"))
}

/// That it is refused so is the model's, no record of AWS's words exists.
fn too_large() -> Fault {
    Fault::new("PayloadTooLargeException", 413, "Message too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for good in ["R0oXAdfD0kwCH6w=", "BFaT_fALIAMCKug=", "---------------="] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "=", "cjy8i76b", "R0oXAdfD0kwCH6w", "R0oXAdfD0kwCH6==", "R0oXAdfD0kw/H6w="] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
