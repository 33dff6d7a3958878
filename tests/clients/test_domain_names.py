"""Custom domain names through boto3: what one generation of the service makes, the other shows and changes."""

import pytest

import setups
from expect import members, refused

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/one"


def regional(apigateway, name):
    return apigateway.create_domain_name(
        domainName=name,
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]},
    )


def test_a_domain_of_v1_is_seen_and_changed_in_v2(apigateway, apigatewayv2):
    made = regional(apigateway, "one.example.com")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    seen = apigatewayv2.get_domain_name(DomainName="one.example.com")
    configuration = seen["DomainNameConfigurations"][0]
    assert configuration["ApiGatewayDomainName"] == made["regionalDomainName"]
    assert configuration["CertificateArn"] == CERTIFICATE
    assert seen["RoutingMode"] == "API_MAPPING_ONLY"
    apigatewayv2.update_domain_name(DomainName="one.example.com", RoutingMode="ROUTING_RULE_ONLY")
    assert apigateway.get_domain_name(domainName="one.example.com")["routingMode"] == "ROUTING_RULE_ONLY"
    gone = apigatewayv2.delete_domain_name(DomainName="one.example.com")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(
        "NotFoundException",
        404,
        "Invalid domain name identifier specified",
        apigateway.get_domain_name,
        domainName="one.example.com",
    )


def test_a_domain_of_v2_is_seen_and_changed_in_v1(apigateway, apigatewayv2):
    configuration = {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"}
    apigatewayv2.create_domain_name(DomainName="two.example.com", DomainNameConfigurations=[configuration])
    refused(
        "BadRequestException",
        400,
        "The domain name you provided already exists.",
        regional,
        apigateway=apigateway,
        name="two.example.com",
    )
    changed = apigateway.update_domain_name(
        domainName="two.example.com",
        patchOperations=[
            {"op": "add", "path": "/mutualTlsAuthentication/truststoreUri", "value": "s3://bucket/trust.pem"},
        ],
    )
    assert changed["mutualTlsAuthentication"] == {"truststoreUri": "s3://bucket/trust.pem"}
    seen = apigatewayv2.get_domain_name(DomainName="two.example.com")
    assert seen["MutualTlsAuthentication"] == {"TruststoreUri": "s3://bucket/trust.pem"}
    assert apigateway.delete_domain_name(domainName="two.example.com")["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert "two.example.com" not in [item["DomainName"] for item in apigatewayv2.get_domain_names()["Items"]]


def test_mappings_are_the_same_from_both_sides(apigateway, apigatewayv2):
    regional(apigateway, "map.example.com")
    api = setups.deployed_mock(apigateway)
    api = api["id"] if isinstance(api, dict) else api
    made = apigateway.create_base_path_mapping(
        domainName="map.example.com", basePath="shop", restApiId=api, stage="prod"
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert members(made) == {"basePath": "shop", "restApiId": api, "stage": "prod"}
    (seen,) = apigatewayv2.get_api_mappings(DomainName="map.example.com")["Items"]
    assert (seen["ApiMappingKey"], seen["ApiId"], seen["Stage"]) == ("shop", api, "prod")
    apigatewayv2.create_api_mapping(
        DomainName="map.example.com", ApiId=api, Stage="prod", ApiMappingKey="orders/v1"
    )
    items = apigateway.get_base_path_mappings(domainName="map.example.com")["items"]
    assert [item["basePath"] for item in items] == ["orders/v1", "shop"]
    deep = apigateway.get_base_path_mapping(domainName="map.example.com", basePath="orders/v1")
    assert deep["restApiId"] == api
    root = apigateway.update_base_path_mapping(
        domainName="map.example.com",
        basePath="shop",
        patchOperations=[{"op": "replace", "path": "/basePath", "value": ""}],
    )
    assert root["basePath"] == "(none)"
    refused(
        "BadRequestException",
        400,
        f"Deleting API {api} failed. Please remove all API mappings for the API from your custom domain names.",
        apigateway.delete_rest_api,
        restApiId=api,
    )
    for path in ["(none)", "orders/v1"]:
        apigateway.delete_base_path_mapping(domainName="map.example.com", basePath=path)
    assert apigatewayv2.get_api_mappings(DomainName="map.example.com")["Items"] == []
    apigateway.delete_rest_api(restApiId=api)


def test_a_private_domain_and_who_may_call_it(apigateway, apigatewayv2):
    made = apigateway.create_domain_name(
        domainName="private.example.com",
        certificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["PRIVATE"]},
    )
    identifier, arn = made["domainNameId"], made["domainNameArn"]
    assert arn.endswith(f":000000000000:/domainnames/private.example.com+{identifier}")
    by_id = {"domainName": "private.example.com", "domainNameId": identifier}
    assert apigateway.get_domain_name(**by_id)["endpointConfiguration"]["ipAddressType"] == "dualstack"
    assert "private.example.com" not in [item["DomainName"] for item in apigatewayv2.get_domain_names()["Items"]]
    association = apigateway.create_domain_name_access_association(
        domainNameArn=arn, accessAssociationSourceType="VPCE", accessAssociationSource="vpce-0a1b2c"
    )
    association_arn = association["domainNameAccessAssociationArn"]
    assert association_arn.endswith(f"/domainname/private.example.com+{identifier}/vpcesource/vpce-0a1b2c")
    listed = apigateway.get_domain_name_access_associations(resourceOwner="SELF")["items"]
    assert [item["domainNameAccessAssociationArn"] for item in listed] == [association_arn]
    rejected = apigateway.reject_domain_name_access_association(
        domainNameAccessAssociationArn=association_arn, domainNameArn=arn
    )
    assert rejected["ResponseMetadata"]["HTTPStatusCode"] == 202
    again = apigateway.create_domain_name_access_association(
        domainNameArn=arn, accessAssociationSourceType="VPCE", accessAssociationSource="vpce-0a1b2c"
    )
    gone = apigateway.delete_domain_name_access_association(
        domainNameAccessAssociationArn=again["domainNameAccessAssociationArn"]
    )
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert apigateway.get_domain_name_access_associations()["items"] == []
    apigateway.delete_domain_name(**by_id)


@pytest.mark.parametrize("path", ["a/b", "/"])
def test_only_v2_maps_several_segments(apigateway, path):
    name = f"deep{len(path)}.example.com"
    regional(apigateway, name)
    api = apigateway.create_rest_api(name="pets")["id"]
    refused(
        "BadRequestException",
        400,
        "API Gateway V1 doesn't support the slash character (/) in base path mappings.",
        apigateway.create_base_path_mapping,
        domainName=name,
        basePath=path,
        restApiId=api,
    )
