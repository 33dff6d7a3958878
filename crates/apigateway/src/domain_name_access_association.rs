//! Which VPC endpoints may call a private domain name: `CreateDomainNameAccessAssociation`,
//! `GetDomainNameAccessAssociations`, `DeleteDomainNameAccessAssociation`, `RejectDomainNameAccessAssociation`.
//!
//! An association belongs to the account of the endpoint. With a domain of another account it needs that domain's
//! management policy, and the other account finds it among those that it can reject.

use serde_json::Value;
use stagedoor_api::apigateway::{
    CreateDomainNameAccessAssociationRequest, DeleteDomainNameAccessAssociationRequest, DomainName,
    DomainNameAccessAssociation, DomainNameAccessAssociations, GetDomainNameAccessAssociationsRequest,
    RejectDomainNameAccessAssociationRequest, ResourceOwner,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::domain::Guest;
use stagedoor_state::{Cx, Documents, Result};

use crate::{listing, messages, quota, tags};

/// The action that a management policy allows to another account.
const ACTION: &str = "apigateway:CreateAccessAssociation";

/// `POST /domainnameaccessassociations`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainNameAccessAssociation.html>
pub fn create_domain_name_access_association(
    cx: &mut Cx<'_>,
    input: CreateDomainNameAccessAssociationRequest,
) -> Result<DomainNameAccessAssociation> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    let target = Target::parse(cx, &input.domain_name_arn)?;
    let source = input.access_association_source;
    if !source.strip_prefix("vpce-").is_some_and(|id| !id.is_empty() && id.bytes().all(is_id_byte)) {
        return Err(messages::bad_access_source());
    }
    let domain = cx.of_account(&target.account).get::<DomainName>(&[&target.key])?;
    let domain = domain.ok_or_else(messages::no_domain_name)?;
    let account = cx.account();
    if target.account != account && !allows(domain.management_policy.as_deref(), account) {
        return Err(messages::association_not_allowed(account, &input.domain_name_arn));
    }
    if cx.exists::<DomainNameAccessAssociation>(&[&input.domain_name_arn, &source])? {
        return Err(messages::access_association_exists());
    }
    quota::check::<DomainNameAccessAssociation>(cx, &[], quota::ACCESS_ASSOCIATIONS)?;
    let association = DomainNameAccessAssociation {
        domain_name_access_association_arn: Some(arn(cx, &target.key, &source)),
        domain_name_arn: Some(input.domain_name_arn.clone()),
        access_association_source: Some(source.clone()),
        access_association_source_type: Some(input.access_association_source_type),
        tags: input.tags.filter(|tags| !tags.is_empty()),
    };
    if target.account != account {
        let guest = Guest { account: account.to_owned(), association: association.clone() };
        cx.of_account(&target.account).put(&[&target.key, account, &source], &guest)?;
    }
    cx.put(&[&input.domain_name_arn, &source], &association)?;
    Ok(association)
}

/// `GET /domainnameaccessassociations`: the account's own, or those that others have made with its domains.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainNameAccessAssociations.html>
pub fn get_domain_name_access_associations(
    cx: &mut Cx<'_>,
    input: GetDomainNameAccessAssociationsRequest,
) -> Result<DomainNameAccessAssociations> {
    let (list, associations) = match input.resource_owner {
        Some(ResourceOwner::OtherAccounts) => {
            let guests = cx.all::<Guest>(&[])?;
            let associations = guests.into_iter().map(|guest| guest.association).collect();
            ("domainnameaccessassociations/others", associations)
        }
        _ => ("domainnameaccessassociations", cx.all::<DomainNameAccessAssociation>(&[])?),
    };
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let place = |association: &DomainNameAccessAssociation| {
        association.domain_name_access_association_arn.clone().unwrap_or_default()
    };
    let page = listing::page(cx, list, associations, place, &wish)?;
    Ok(DomainNameAccessAssociations { items: Some(page.items), position: page.next })
}

/// `DELETE /domainnameaccessassociations/{domain_name_access_association_arn}`, by the account that made it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDomainNameAccessAssociation.html>
pub fn delete_domain_name_access_association(
    cx: &mut Cx<'_>,
    input: DeleteDomainNameAccessAssociationRequest,
) -> Result<()> {
    let association = existing(cx, &input.domain_name_access_association_arn)?;
    let (domain, source) = ids(&association);
    delete(cx, domain, source)
}

/// `POST /rejectdomainnameaccessassociations`, by the account of the domain.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_RejectDomainNameAccessAssociation.html>
pub fn reject_domain_name_access_association(
    cx: &mut Cx<'_>,
    input: RejectDomainNameAccessAssociationRequest,
) -> Result<()> {
    let target = Target::parse(cx, &input.domain_name_arn)?;
    if target.account != cx.account() || !cx.exists::<DomainName>(&[&target.key])? {
        return Err(messages::no_domain_name());
    }
    let arn = input.domain_name_access_association_arn.as_str();
    let owner = Arn::parse(arn).ok_or_else(messages::bad_arn)?.account;
    let mut documents = cx.of_account(owner);
    let association = find(&mut documents, arn)?;
    let (domain, source) = ids(&association);
    match domain == input.domain_name_arn {
        true => delete(&mut documents, domain, source),
        false => Err(messages::no_access_association()),
    }
}

/// The caller's association of that ARN.
pub fn existing(cx: &mut Cx<'_>, arn: &str) -> Result<DomainNameAccessAssociation> {
    find(cx, arn)
}

/// Stores an association that has changed.
pub fn put(cx: &mut Cx<'_>, association: &DomainNameAccessAssociation) -> Result<()> {
    let (domain, source) = ids(association);
    cx.put(&[domain, source], association)
}

fn find(documents: &mut Documents<'_>, arn: &str) -> Result<DomainNameAccessAssociation> {
    let associations = documents.all::<DomainNameAccessAssociation>(&[])?;
    let is_meant = |association: &DomainNameAccessAssociation| {
        association.domain_name_access_association_arn.as_deref() == Some(arn)
    };
    associations.into_iter().find(is_meant).ok_or_else(messages::no_access_association)
}

/// What an association is stored under.
fn ids(association: &DomainNameAccessAssociation) -> (&str, &str) {
    let domain = association.domain_name_arn.as_deref().unwrap_or_default();
    (domain, association.access_association_source.as_deref().unwrap_or_default())
}

/// Deletes an association of the documents' account, and what the domain's account knows of it.
fn delete(documents: &mut Documents<'_>, domain_arn: &str, source: &str) -> Result<()> {
    documents.delete::<DomainNameAccessAssociation>(&[domain_arn, source])?;
    let account = documents.account();
    match Arn::parse(domain_arn).and_then(|arn| Some((arn.account, arn.resource.strip_prefix(DOMAINS)?))) {
        Some((owner, key)) => documents.of_account(owner).delete::<Guest>(&[key, account, source]),
        None => Ok(()),
    }
}

const DOMAINS: &str = "/domainnames/";

/// The private domain that an ARN names.
struct Target {
    account: String,
    /// What it is stored under.
    key: String,
}

impl Target {
    fn parse(cx: &Cx<'_>, text: &str) -> Result<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "apigateway").ok_or_else(messages::bad_arn)?;
        let key = arn.resource.strip_prefix(DOMAINS).filter(|key| key.contains('+'));
        match key.filter(|_| !arn.account.is_empty() && arn.region == cx.region()) {
            Some(key) => Ok(Self { account: arn.account.to_owned(), key: key.to_owned() }),
            None => Err(messages::bad_arn()),
        }
    }
}

fn arn(cx: &Cx<'_>, key: &str, source: &str) -> String {
    let (region, account) = (cx.region(), cx.account());
    format!(
        "arn:aws:apigateway:{region}:{account}:/domainnameaccessassociations/domainname/{key}/vpcesource/{source}"
    )
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

// === Management policies ===

/// Whether a management policy lets an account associate its endpoints. What a statement makes depend on a condition
/// it does not allow, and denies.
fn allows(policy: Option<&str>, account: &str) -> bool {
    let policy: Value = policy.and_then(|policy| serde_json::from_str(policy).ok()).unwrap_or_default();
    let statements = one_or_more(&policy["Statement"]);
    let meant = |statement: &&&Value, effect: &str| {
        statement["Effect"] == effect
            && one_or_more(&statement["Action"]).iter().any(|action| is_action(action))
            && is_principal(&statement["Principal"], account)
    };
    let allowed =
        statements.iter().any(|statement| meant(&statement, "Allow") && statement.get("Condition").is_none());
    allowed && !statements.iter().any(|statement| meant(&statement, "Deny"))
}

fn one_or_more(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn is_action(action: &Value) -> bool {
    let action = action.as_str().unwrap_or_default();
    match action.strip_suffix('*') {
        Some(beginning) => ACTION.to_ascii_lowercase().starts_with(&beginning.to_ascii_lowercase()),
        None => action.eq_ignore_ascii_case(ACTION),
    }
}

fn is_principal(principal: &Value, account: &str) -> bool {
    let accounts = if principal.is_string() { principal } else { &principal["AWS"] };
    one_or_more(accounts).iter().filter_map(|principal| principal.as_str()).any(|principal| {
        principal == "*"
            || principal == account
            || Arn::parse(principal).is_some_and(|arn| arn.account == account && arn.resource == "root")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn management_policies() {
        let policy = |effect: &str, principal: &str, action: &str, more: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"{effect}","Principal":{principal},"Action":{action}{more}}}}}"#
            )
        };
        let create = r#"["apigateway:CreateAccessAssociation"]"#;
        for (principal, action, expected) in [
            (r#""*""#, create, true),
            (r#"{"AWS":["111122223333","444455556666"]}"#, create, true),
            (r#"{"AWS":"arn:aws:iam::444455556666:root"}"#, r#""apigateway:*""#, true),
            (r#"{"AWS":"111122223333"}"#, create, false),
            (r#"{"AWS":"arn:aws:iam::444455556666:user/a"}"#, create, false),
            (r#""*""#, r#""execute-api:Invoke""#, false),
        ] {
            let allow = policy("Allow", principal, action, "");
            assert_eq!(allows(Some(&allow), "444455556666"), expected, "{allow}");
        }
        assert!(!allows(None, "444455556666"));
        let conditional = policy("Allow", r#""*""#, create, r#","Condition":{}"#);
        assert!(!allows(Some(&conditional), "444455556666"));
        let denied = r#"{"Statement":[
            {"Effect":"Allow","Principal":"*","Action":"*"},
            {"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"apigateway:CreateAccess*"}]}"#;
        assert!(!allows(Some(denied), "444455556666") && allows(Some(denied), "111122223333"));
    }
}
