//! VPC links.

use serde_json::{Value as Json, json};

use crate::control::{Control, START, each};

fn link(name: &str) -> Json {
    json!({"Name": name, "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
}

#[test]
fn a_link_becomes_available_after_a_while() {
    let control = Control::new();
    let created = control.ok("CreateVpcLink", link("one"));
    let id = created["VpcLinkId"].clone();
    let mut expected = json!({
        "CreatedDate": START,
        "Name": "one",
        "SecurityGroupIds": ["sg-1"],
        "SubnetIds": ["subnet-1"],
        "Tags": {},
        "VpcLinkId": id,
        "VpcLinkStatus": "PENDING",
        "VpcLinkStatusMessage": "VPC link is provisioning ENIs",
        "VpcLinkVersion": "V2",
    });
    assert_eq!(created, expected);
    control.wait(1);
    assert_eq!(control.ok("GetVpcLink", json!({"VpcLinkId": id})), expected);
    control.wait(1);
    expected["VpcLinkStatus"] = json!("AVAILABLE");
    expected["VpcLinkStatusMessage"] = json!("VPC link is ready to route traffic");
    assert_eq!(control.ok("GetVpcLink", json!({"VpcLinkId": id})), expected);

    expected["Name"] = json!("renamed");
    assert_eq!(control.ok("UpdateVpcLink", json!({"VpcLinkId": id, "Name": "renamed"})), expected);
    control.ok("CreateVpcLink", link("two"));
    assert_eq!(each(&control.ok("GetVpcLinks", json!({})), "Name"), ["renamed", "two"]);

    assert_eq!(control.ok("DeleteVpcLink", json!({"VpcLinkId": id})), json!({}));
    assert_eq!(each(&control.ok("GetVpcLinks", json!({})), "Name"), ["two"]);
    let unknown = control.err("GetVpcLink", json!({"VpcLinkId": id}));
    assert!(unknown.starts_with("NotFoundException 404: Invalid VpcLink identifier specified"), "{unknown}");
}

#[test]
fn refused_links() {
    let control = Control::new();
    assert_eq!(
        control.err("CreateVpcLink", link("")),
        "BadRequestException 400: Invalid VPC link name specified"
    );
    for subnets in [json!([]), json!(["vpc-1"])] {
        let refusal = control.err("CreateVpcLink", json!({"Name": "one", "SubnetIds": subnets}));
        let expected = "BadRequestException 400: A VPC link requires between 1 and 10 subnet identifiers";
        assert_eq!(refusal, expected);
    }
    assert_eq!(control.ok("GetVpcLinks", json!({})), json!({"Items": []}));
    let tags = json!({"Name": "one", "SubnetIds": ["subnet-1"], "Tags": {"aws:a": "b"}});
    assert_ne!(control.call("CreateVpcLink", tags).map_err(|fault| fault.status), Ok(Json::Null));
}
