//! Certificates by which integrations know who calls: `GenerateClientCertificate`, `GetClientCertificate`,
//! `GetClientCertificates`, `UpdateClientCertificate`, `DeleteClientCertificate`.
//!
//! The X.509 itself is made by [`crate::x509`]; its private key is stored for the gateway and never answered.

use stagedoor_api::apigateway::{
    ClientCertificate, ClientCertificates, DeleteClientCertificateRequest, GenerateClientCertificateRequest,
    GetClientCertificateRequest, GetClientCertificatesRequest, Op, Stage, UpdateClientCertificateRequest,
};
use stagedoor_state::page::oldest_first;
use stagedoor_state::{Cx, Result, rest};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, quota, tags, x509};

/// Characters of a certificate's id.
const ID_LENGTH: usize = 6;
/// How long a certificate is valid.
const LIFE_SECONDS: i64 = 365 * 24 * 60 * 60;

/// `POST /clientcertificates`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GenerateClientCertificate.html>
pub fn generate_client_certificate(
    cx: &mut Cx<'_>,
    input: GenerateClientCertificateRequest,
) -> Result<ClientCertificate> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    quota::check::<rest::ClientCertificate>(cx, &[], quota::CLIENT_CERTIFICATES)?;
    let created = cx.now().whole_seconds();
    let expires = created.plus_seconds(LIFE_SECONDS);
    let mut serial = [0; 16];
    cx.environment.entropy.fill(&mut serial);
    let pair = x509::self_signed(created, expires, serial)?;
    let id = cx.new_id(ID_LENGTH);
    let certificate = ClientCertificate {
        client_certificate_id: Some(id.clone()),
        description: input.description.filter(|description| !description.is_empty()),
        pem_encoded_certificate: Some(pair.certificate_pem),
        created_date: Some(created),
        expiration_date: Some(expires),
        tags: input.tags.filter(|tags| !tags.is_empty()),
    };
    let private_key_pem = pair.private_key_pem;
    let stored = rest::ClientCertificate { certificate, private_key_pem };
    cx.put(&[&id], &stored)?;
    Ok(stored.certificate)
}

/// `GET /clientcertificates/{clientcertificate_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetClientCertificate.html>
pub fn get_client_certificate(
    cx: &mut Cx<'_>,
    input: GetClientCertificateRequest,
) -> Result<ClientCertificate> {
    existing(cx, &input.client_certificate_id).map(|stored| answered(stored.certificate))
}

/// `GET /clientcertificates`, oldest first; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetClientCertificates.html>
pub fn get_client_certificates(
    cx: &mut Cx<'_>,
    input: GetClientCertificatesRequest,
) -> Result<ClientCertificates> {
    let certificates = cx.all::<rest::ClientCertificate>(&[])?;
    let certificates = certificates.into_iter().map(|stored| stored.certificate).collect();
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |certificate: &ClientCertificate| {
        let created = certificate.created_date.unwrap_or_default().as_micros();
        oldest_first(created, certificate.client_certificate_id.as_deref().unwrap_or_default())
    };
    let page = listing::page(cx, "clientcertificates", certificates, order, &wish)?;
    Ok(ClientCertificates { items: Some(page.items), position: page.next })
}

/// `PATCH /clientcertificates/{clientcertificate_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateClientCertificate.html>
pub fn update_client_certificate(
    cx: &mut Cx<'_>,
    input: UpdateClientCertificateRequest,
) -> Result<ClientCertificate> {
    let mut stored = existing(cx, &input.client_certificate_id)?;
    stored.certificate = PATCHES.apply(&stored.certificate, input.patch_operations.as_deref())?;
    cx.put(&[&input.client_certificate_id], &stored)?;
    Ok(answered(stored.certificate))
}

/// `DELETE /clientcertificates/{clientcertificate_id}`, unless a stage uses it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteClientCertificate.html>
pub fn delete_client_certificate(cx: &mut Cx<'_>, input: DeleteClientCertificateRequest) -> Result<()> {
    let id = input.client_certificate_id.as_str();
    existing(cx, id)?;
    for (ids, stage) in cx.list::<Stage>(&[])? {
        if let ([api, name], true) = (ids.as_slice(), stage.client_certificate_id.as_deref() == Some(id)) {
            return Err(messages::client_certificate_in_use(id, api, name));
        }
    }
    cx.delete::<rest::ClientCertificate>(&[id])
}

pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<rest::ClientCertificate> {
    cx.get(&[id])?.ok_or_else(messages::no_client_certificate)
}

/// Get and update answers show tags even where there are none.
fn answered(certificate: ClientCertificate) -> ClientCertificate {
    ClientCertificate { tags: Some(certificate.tags.unwrap_or_default()), ..certificate }
}

// === Patches ===

const PATCHES: Table<ClientCertificate> = Table {
    refuse: refuse_first_generation,
    rows: &[&[Row { path: "/description", ops: &[Op::Replace], apply: patch_description }]],
};

fn patch_description(certificate: &mut ClientCertificate, change: &Change<'_>) -> Result<()> {
    certificate.description = change.text();
    Ok(())
}
