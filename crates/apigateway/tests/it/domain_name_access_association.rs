//! Which VPC endpoints may call a private domain name. Of the refusals only the forms of ARNs are AWS's words.

use serde_json::{Value as Json, json};

use crate::control::{ACCOUNT, Control, each, op, text, with};
use crate::domain_name::{private, regional};

const REGION: &str = "eu-west-1";
const NAME: &str = "private.example.com";
const OTHER: &str = "222222222222";

fn associate(domain: &str, source: &str) -> Json {
    json!({"domainNameArn": domain, "accessAssociationSource": source, "accessAssociationSourceType": "VPCE"})
}

fn domain(control: &Control) -> (String, String) {
    let domain = control.ok("CreateDomainName", private(NAME));
    (text(&domain, "domainNameArn"), text(&domain, "domainNameId"))
}

#[test]
fn an_association_from_birth_to_death() {
    let control = Control::new();
    let (domain, id) = domain(&control);
    let created = control.ok("CreateDomainNameAccessAssociation", associate(&domain, "vpce-0a1b"));
    let arn = format!(
        "arn:aws:apigateway:eu-west-1:{ACCOUNT}:/domainnameaccessassociations/domainname/{NAME}+{id}/vpcesource/\
         vpce-0a1b"
    );
    let expected = json!({
        "accessAssociationSource": "vpce-0a1b",
        "accessAssociationSourceType": "VPCE",
        "domainNameAccessAssociationArn": arn,
        "domainNameArn": domain,
    });
    assert_eq!(created, expected);
    assert_eq!(control.ok("GetDomainNameAccessAssociations", json!({})), json!({"items": [expected]}));
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "b"}}));
    let listed = control.ok("GetDomainNameAccessAssociations", json!({"resourceOwner": "SELF"}));
    assert_eq!(listed["items"][0]["tags"], json!({"a": "b"}));

    let by_arn = json!({"domainNameAccessAssociationArn": arn});
    assert_eq!(control.ok("DeleteDomainNameAccessAssociation", by_arn.clone()), Json::Null);
    assert_eq!(
        control.err("DeleteDomainNameAccessAssociation", by_arn),
        "NotFoundException 404: Invalid domain name access association identifier specified"
    );
    // A domain takes its associations with it.
    control.ok("CreateDomainNameAccessAssociation", associate(&domain, "vpce-0a1b"));
    control.ok("DeleteDomainName", json!({"domainName": NAME, "domainNameId": id}));
    assert_eq!(control.ok("GetDomainNameAccessAssociations", json!({})), json!({"items": []}));
}

#[test]
fn refused_associations() {
    let control = Control::new();
    let (domain, _) = domain(&control);
    let public = text(&control.ok("CreateDomainName", regional("api.example.com")), "domainNameArn");
    control.ok("CreateDomainNameAccessAssociation", associate(&domain, "vpce-0a1b"));
    let unknown = format!("arn:aws:apigateway:eu-west-1:{ACCOUNT}:/domainnames/{NAME}+none");
    let bad_arn = "BadRequestException 400: Invalid ARN specified in the request";
    for (domain, source, expected) in [
        (
            domain.as_str(),
            "vpce-0a1b",
            "ConflictException 409: Domain name access association already exists",
        ),
        (
            &domain,
            "vpc-0a1b",
            "BadRequestException 400: Invalid access association source specified: it must be the id of a VPC \
             endpoint",
        ),
        (&unknown, "vpce-1", "NotFoundException 404: Invalid domain name identifier specified"),
        (&public, "vpce-1", bad_arn),
        ("nonsense", "vpce-1", bad_arn),
    ] {
        let refused = control.err("CreateDomainNameAccessAssociation", associate(domain, source));
        assert_eq!(refused, expected, "{domain} {source}");
    }
}

#[test]
fn other_accounts_associate_if_they_may_and_are_rejected() {
    let control = Control::new();
    let (domain, id) = domain(&control);
    let as_other = |operation: &str, input: Json| control.call_as(OTHER, REGION, operation, input);
    let refused = as_other("CreateDomainNameAccessAssociation", associate(&domain, "vpce-9"));
    let refused = refused.expect_err("no policy lets it");
    assert_eq!(
        refused.to_string(),
        format!(
            "AccessDeniedException (403): User: arn:aws:iam::{OTHER}:root is not authorized to perform: \
             apigateway:CreateAccessAssociation on resource: {domain}"
        )
    );
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"AWS": [OTHER]}, "Action": "apigateway:CreateAccessAssociation",
        "Resource": domain,
    }]});
    let by_id = json!({"domainName": NAME, "domainNameId": id});
    let operations = json!({"patchOperations": [op("replace", "/managementPolicy", &policy.to_string())]});
    control.ok("UpdateDomainName", with(by_id, operations));
    let created =
        as_other("CreateDomainNameAccessAssociation", associate(&domain, "vpce-9")).expect("allowed");
    let arn = text(&created, "domainNameAccessAssociationArn");
    assert!(arn.contains(OTHER), "{arn}");

    let others = json!({"resourceOwner": "OTHER_ACCOUNTS"});
    let listed = control.ok("GetDomainNameAccessAssociations", others.clone());
    assert_eq!(each(&listed["items"], "domainNameAccessAssociationArn"), [arn.as_str()]);
    assert_eq!(control.ok("GetDomainNameAccessAssociations", json!({})), json!({"items": []}));
    // Only who made it deletes it; the domain's account rejects it.
    let reject = json!({"domainNameAccessAssociationArn": arn, "domainNameArn": domain});
    let by_arn = json!({"domainNameAccessAssociationArn": arn});
    control.err("DeleteDomainNameAccessAssociation", by_arn);
    as_other("RejectDomainNameAccessAssociation", reject.clone()).expect_err("not its domain");
    assert_eq!(control.ok("RejectDomainNameAccessAssociation", reject.clone()), Json::Null);
    assert_eq!(control.ok("GetDomainNameAccessAssociations", others), json!({"items": []}));
    let left = as_other("GetDomainNameAccessAssociations", json!({})).expect("a list");
    assert_eq!(left, json!({"items": []}));
    assert_eq!(
        control.err("RejectDomainNameAccessAssociation", reject),
        "NotFoundException 404: Invalid domain name access association identifier specified"
    );
}
