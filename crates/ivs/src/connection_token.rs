//! Connection tokens, by which one connection serves several stages. Customers sign them; here they are revoked.

use stagedoor_api::ivs_realtime::{RevokeConnectionTokenRequest, RevokeConnectionTokenResponse};
use stagedoor_state::ivs::RevokedConnectionToken;
use stagedoor_state::{Cx, Result};

/// `POST /RevokeConnectionToken`: for good.
///
/// Tokens are unknown before they are used, so every id is accepted. The reference has no page for this
/// operation; the guides to the broadcast SDKs describe it.
pub fn revoke_connection_token(
    cx: &mut Cx<'_>,
    input: RevokeConnectionTokenRequest,
) -> Result<RevokeConnectionTokenResponse> {
    let revoked_micros = cx.now().as_micros();
    cx.put(&[&input.token_id], &RevokedConnectionToken { revoked_micros })?;
    Ok(RevokeConnectionTokenResponse::default())
}
