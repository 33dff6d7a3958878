//! Connection tokens: that they are revoked.

use serde_json::json;
use stagedoor_state::ivs::RevokedConnectionToken;

use crate::control::{Control, START};

fn revoked(control: &Control, token: &str) -> Option<i64> {
    let document: Option<RevokedConnectionToken> = control.media(|documents, _| documents.get(&[token]));
    document.map(|document| document.revoked_micros / 1_000_000)
}

#[test]
fn any_token_can_be_revoked() {
    let control = Control::new();
    assert_eq!(control.ok("RevokeConnectionToken", json!({"tokenId": "t-1"})), json!({}));
    assert_eq!((revoked(&control, "t-1"), revoked(&control, "t-2")), (Some(START), None));
    control.wait(5);
    assert_eq!(
        control.ok("RevokeConnectionToken", json!({"tokenId": "t-1"})),
        json!({}),
        "as often as one likes"
    );
}
