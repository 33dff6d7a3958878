//! Public keys, with which customers sign participant tokens themselves.

use stagedoor_api::ivs_realtime::{
    self as api, DeletePublicKeyRequest, DeletePublicKeyResponse, GetPublicKeyRequest, GetPublicKeyResponse,
    ImportPublicKeyRequest, ImportPublicKeyResponse, ListPublicKeysRequest, ListPublicKeysResponse,
    PublicKeySummary,
};
use stagedoor_state::ivs::{PublicKey, public_key};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{messages, quota, resource, tag};

/// `POST /ImportPublicKey`: a key on the curve P-384, in PEM form. The same key is imported once.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ImportPublicKey.html>
pub fn import_public_key(cx: &mut Cx<'_>, input: ImportPublicKeyRequest) -> Result<ImportPublicKeyResponse> {
    let tags = tag::checked(input.tags)?;
    let fingerprint = public_key::fingerprint(&input.public_key_material)
        .map_err(|wrong| messages::no_public_key(&wrong.to_string()))?;
    if let Some(same) = cx.all::<PublicKey>(&[])?.iter().find(|known| known.fingerprint == fingerprint) {
        return Err(messages::same_key(&same.arn));
    }
    quota::check::<PublicKey>(cx, quota::PUBLIC_KEYS)?;
    let (id, arn) = resource::name::<PublicKey>(cx, &tags)?;
    let key = PublicKey {
        arn,
        name: input.name.unwrap_or_default(),
        tags,
        material: input.public_key_material,
        fingerprint,
        created_micros: cx.now().as_micros(),
    };
    cx.put(&[&id], &key)?;
    Ok(ImportPublicKeyResponse { public_key: Some(show(key)) })
}

/// `POST /GetPublicKey`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetPublicKey.html>
pub fn get_public_key(cx: &mut Cx<'_>, input: GetPublicKeyRequest) -> Result<GetPublicKeyResponse> {
    let (_, key) = resource::existing::<PublicKey>(cx, &input.arn)?;
    Ok(GetPublicKeyResponse { public_key: Some(show(key)) })
}

/// `POST /ListPublicKeys`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListPublicKeys.html>
pub fn list_public_keys(cx: &mut Cx<'_>, input: ListPublicKeysRequest) -> Result<ListPublicKeysResponse> {
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let keys = cx.all::<PublicKey>(&[])?;
    let order = |key: &PublicKey| newest_first(key.created_micros, &key.arn);
    let page = page(cx, &["ListPublicKeys"], &request, keys, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListPublicKeysResponse { public_keys: Some(summaries), next_token: page.next })
}

/// `POST /DeletePublicKey`: tokens that it signed let nobody in any more. Who is connected stays.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DeletePublicKey.html>
pub fn delete_public_key(cx: &mut Cx<'_>, input: DeletePublicKeyRequest) -> Result<DeletePublicKeyResponse> {
    let (id, _) = resource::existing::<PublicKey>(cx, &input.arn)?;
    cx.delete::<PublicKey>(&[&id])?;
    Ok(DeletePublicKeyResponse::default())
}

// === Answers ===

fn show(key: PublicKey) -> api::PublicKey {
    api::PublicKey {
        arn: Some(key.arn),
        fingerprint: Some(key.fingerprint),
        name: Some(key.name),
        public_key_material: Some(key.material),
        tags: Some(key.tags),
    }
}

fn summary(key: PublicKey) -> PublicKeySummary {
    PublicKeySummary { arn: Some(key.arn), name: Some(key.name), tags: Some(key.tags) }
}
