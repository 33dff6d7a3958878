"""The calls behind `answers/control.json`: REST APIs and what is in them. Stages stand in `stage_calls.py`."""

import json

from .replay import replays
from .sentences import (
    new_root, UNKNOWN, add, api_with_root, get_method, mock, patch, remove, replace, resource, until_available, wrong,
)

# === REST APIs ===


@replays("control/RestApi.list_and_delete_apis")
def list_and_delete(aws):
    first = aws("create-rest-api-1").create_rest_api(name="first", description="this is my api")
    aws("create-rest-api-2").create_rest_api(name="second", description="this is my api2")
    aws("get-rest-api-before-delete").get_rest_apis()
    aws("delete-rest-api").delete_rest_api(restApiId=first["id"])
    aws("get-rest-api-after-delete").get_rest_apis()


@replays("control/RestApi.get_api_case_insensitive")
def ids_have_a_case(aws):
    api = aws("create-rest-api").create_rest_api(name="lower", description="lower case api")
    aws("get-api-upper-case").get_rest_api(restApiId=api["id"].upper())


@replays("control/RestApi.create_rest_api_with_optional_params")
def optional_members(aws):
    aws("create-only-name").create_rest_api(name="plain")
    aws("create-empty-desc").create_rest_api(name="nameless", description="")
    aws("create-with-version").create_rest_api(name="versioned", version="v1")
    aws("create-with-empty-binary-media").create_rest_api(name="mediate", binaryMediaTypes=[])
    aws("string-compression-size").create_rest_api(name="small", minimumCompressionSize=-1)


@replays("control/RestApi.create_rest_api_with_tags")
def tagged(aws):
    api = aws("create-rest-api-w-tags").create_rest_api(
        name="tagged", description="this is my api", tags={"MY_TAG1": "MY_VALUE1"}
    )
    aws("get-rest-api-w-tags").get_rest_api(restApiId=api["id"])
    aws("get-rest-apis-w-tags").get_rest_apis()


@replays("control/RestApi.create_rest_api_with_binary_media_types")
def binary_media_types(aws):
    aws("create-with-binary-media").create_rest_api(name="pictures", binaryMediaTypes=["image/png"])


@replays("control/RestApi.update_rest_api_operation_add_remove")
def media_types_patched(aws):
    api = aws.create_rest_api(name="patched", description="this is my api")["id"]
    types = "/binaryMediaTypes/"
    aws("update-rest-api-add").update_rest_api(restApiId=api, **patch(add(types + "image~1png"), add(types + "image~1jpeg")))
    aws("update-rest-api-replace").update_rest_api(restApiId=api, **patch(replace(types + "image~1png", "image/gif")))
    aws("update-rest-api-remove").update_rest_api(
        restApiId=api, **patch(remove(types + "image~1gif"), remove("/description"))
    )


@replays("control/RestApi.update_rest_api_compression")
def compression(aws):
    api = aws.create_rest_api(name="squeezed", description="this is my api")["id"]
    size = "/minimumCompressionSize"
    for label, operation in [
        ("enable-compression", replace(size, "10")),
        ("disable-compression", replace(size)),
        ("set-compression-zero", replace(size, "0")),
        ("set-negative-compression", replace(size, "-1")),
        ("set-string-compression", replace(size, "much")),
        ("unsupported-operation", add(size, "10")),
    ]:
        aws(label).update_rest_api(restApiId=api, **patch(operation))


@replays("control/RestApi.update_rest_api_behaviour")
def patches_of_a_list(aws):
    api = aws.create_rest_api(name="lists", description="this is my api")["id"]
    for label, operation in [
        ("update-rest-api-array", add("/binaryMediaTypes/-", "none")),
        ("update-rest-api-add-base-path", add("/binaryMediaTypes", "none")),
        ("update-rest-api-replace-base-path", replace("/binaryMediaTypes", "none")),
        ("update-rest-api-remove-base-path", remove("/binaryMediaTypes")),
    ]:
        aws(label).update_rest_api(restApiId=api, **patch(operation))


@replays("control/RestApi.update_rest_api_invalid_api_id")
def update_of_nothing(aws):
    aws("not-found-update-rest-api").update_rest_api(restApiId="api_id", **patch(replace("/name", "new")))


@replays("control/RestApi.create_rest_api_with_endpoint_configuration")
def endpoint_configurations(aws):
    for label, configuration, more in [
        ("create-with-empty-types", {"types": []}, {}),
        ("create-with-invalid-ip-address-type", {"types": ["EDGE"], "ipAddressType": "wrong"}, {}),
        ("create-with-invalid-types", {"types": ["wrong"], "ipAddressType": "ipv4"}, {}),
        ("create-with-invalid-ip-address-type-and-types", {"ipAddressType": "wrong", "types": ["wrong"]}, {}),
        ("create-with-invalid-types-and-ip-address-type", {"types": ["wrong"], "ipAddressType": "wrong"}, {}),
        ("create-with-multiple-errors-1", {"types": ["wrong"], "ipAddressType": "wrong"}, {"description": ""}),
        ("create-with-multiple-errors-2", {"types": []}, {"description": ""}),
        ("create-with-two-types", {"types": ["EDGE", "REGIONAL"]}, {}),
        ("create-with-endpoint-config-dualstack", {"types": ["EDGE"], "ipAddressType": "dualstack"}, {}),
        ("create-with-endpoint-config-regional", {"types": ["REGIONAL"]}, {}),
    ]:
        aws(label).create_rest_api(name=f"n-{label}", endpointConfiguration=configuration, **more)


@replays("control/RestApi.create_rest_api_private_type")
def private_endpoints(aws):
    private = "create-with-private-type-and-"
    for label, ip, more in [
        (private + "ipv4-ip-address-type", "ipv4", {}),
        (private + "wrong-ip-address-type", "wrong", {}),
        (private + "ipv4-ip-address-type-and-empty-description", "ipv4", {"description": ""}),
    ]:
        aws(label).create_rest_api(name="own", endpointConfiguration={"types": ["PRIVATE"], "ipAddressType": ip}, **more)


@replays("control/RestApi.create_rest_api_verify_defaults")
def endpoint_defaults(aws):
    for label, arguments in [
        ("create-with-edge-default", {"endpointConfiguration": {"types": ["EDGE"]}}),
        ("create-with-regional-default", {"endpointConfiguration": {"types": ["REGIONAL"]}}),
        ("create-with-private-default", {"endpointConfiguration": {"types": ["PRIVATE"]}}),
        ("create-with-empty-default", {}),
        ("create-with-empty-ip-address-type-and-wrong-type", {"endpointConfiguration": {"types": ["wrong"]}}),
    ]:
        aws(label).create_rest_api(name=f"n-{label}", **arguments)


@replays("control/RestApi.update_rest_api_ip_address_type")
def endpoint_patches(aws):
    ip, kind = "/endpointConfiguration/ipAddressType", "/endpointConfiguration/types/"
    api = aws.create_rest_api(name="moving", endpointConfiguration={"types": ["EDGE"]})["id"]
    for label, operation in [
        ("update-rest-api-replace-type", replace(kind + "EDGE", "PRIVATE")),
        ("update-rest-api-replace-to-ipv4-within-private-type", replace(ip, "ipv4")),
        ("update-rest-api-wrong-ipAddressType", replace(ip, "wrong")),
        ("update-rest-api-wrong-type", replace(kind + "PRIVATE", "wrong")),
        ("update-rest-api-invalid-operation-on-ipAddressType", add(ip, "dualstack")),
        ("update-rest-api-invalid-operation-on-type", {"op": "test", "path": kind + "PRIVATE", "value": "EDGE"}),
        ("update-rest-api-replace-ip-address-type", replace(ip, "dualstack")),
    ]:
        aws(label).update_rest_api(restApiId=api, **patch(operation))


@replays("control/RestApi.update_rest_api_concatenation_of_errors")
def errors_join(aws):
    ip, kind = wrong("/endpointConfiguration/ipAddressType", "dualstack"), wrong("/endpointConfiguration/types/EDGE", "EDGE")
    api = aws.create_rest_api(name="joined")["id"]
    for label, operations in [
        ("update-rest-api-wrong-operations-on-ipAddressType", [ip, ip]),
        ("update-rest-api-wrong-operations-on-type", [kind, kind]),
        ("update-rest-api-wrong-operations-on-type-and-on-ip-address-type", [kind, ip, ip]),
    ]:
        aws(label).update_rest_api(restApiId=api, **patch(*operations))


# === resources ===


@replays("control/Resource.resource_lifecycle")
def life_of_a_resource(aws):
    api, root = api_with_root(aws)
    aws("rest-api-root-resource").get_resources(restApiId=api)
    pets = aws("create-resource").create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    aws("rest-api-resources-after-create", sort="path").get_resources(restApiId=api)
    aws("create-subresource").create_resource(restApiId=api, parentId=pets, pathPart="subpets")
    aws("rest-api-resources-after-create-sub", sort="path").get_resources(restApiId=api)
    aws("update-path-part").update_resource(restApiId=api, resourceId=pets, **patch(replace("/pathPart", "dogs")))
    aws("get-resp-after-update-path-part").get_resource(restApiId=api, resourceId=pets)
    aws("del-resource").delete_resource(restApiId=api, resourceId=pets)
    aws("rest-api-resources-after-delete").get_resources(restApiId=api)


@replays("control/Resource.update_resource_behaviour")
def moving_resources(aws):
    api, root = api_with_root(aws)
    pets = resource(aws, api, root, "pets")

    def update(label, which, operation):
        aws(label).update_resource(restApiId=api, resourceId=which, **patch(operation))

    update("nonexistent-resource", "fake", replace("/pathPart", "dogs"))
    update("invalid-path-part", pets, replace("/invalid", "dogs"))
    update("invalid-parent-id", pets, replace("/parentId", "fake"))
    sub = aws("create-subresource").create_resource(restApiId=api, parentId=pets, pathPart="subpets")["id"]
    child = aws("create-subresource-child").create_resource(restApiId=api, parentId=sub, pathPart="pets")["id"]
    update("existing-future-sibling-path", child, replace("/parentId", root))
    update("update-parent-id-to-subresource-id", sub, replace("/parentId", child))
    update("update-parent-id-to-root-id", sub, replace("/parentId", root))
    update("update-path-already-exists", sub, replace("/pathPart", "pets"))
    for gone in [child, pets]:
        aws.delete_resource(restApiId=api, resourceId=gone)
    aws("resources-after-deletion", sort="path").get_resources(restApiId=api)
    update("remove-unsupported", sub, remove("/pathPart"))
    update("add-unsupported", sub, add("/pathPart", "dogs"))


@replays("control/Resource.delete_resource")
def deleting_resources(aws):
    api, root = api_with_root(aws)
    pets = resource(aws, api, root, "pets")
    sub = resource(aws, api, pets, "subpets")
    aws("delete-resource").delete_resource(restApiId=api, resourceId=pets)
    aws("get-resources").get_resources(restApiId=api)
    aws("delete-subresource").delete_resource(restApiId=api, resourceId=sub)


@replays("control/Resource.create_resource_parent_invalid")
def unknown_parent(aws):
    api, _ = api_with_root(aws)
    aws("wrong-resource-parent-id").create_resource(restApiId=api, parentId="fake", pathPart="dogs")


@replays("control/Resource.create_proxy_resource")
def greedy_resources(aws):
    api, root = api_with_root(aws)

    def create(label, parent, part):
        return aws(label).create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]

    create("create-base-proxy-resource", root, "{proxy+}")
    parent = resource(aws, api, root, "parent")
    aws.check("create-proxy-sibling-resource", parent)
    proxy = create("create-proxy-sibling-proxy-child-resource", parent, "{proxy+}")
    child = create("create-proxy-sibling-static-child-resource", parent, "child")
    create("create-static-child-proxy-resource", child, "{proxy+}")
    aws("all-resources", sort="path").get_resources(restApiId=api)
    aws.delete_resource(restApiId=api, resourceId=proxy)
    variable = create("create-proxy-sibling-dynamic-child-resource", parent, "{child}")
    create("create-dynamic-child-proxy-resource", variable, "{proxy+}")
    aws("all-resources-2", sort="path").get_resources(restApiId=api)


@replays("control/Resource.create_proxy_resource_validation")
def greedy_resources_refused(aws):
    api, root = api_with_root(aws)

    def create(label, parent, part):
        return aws(label).create_resource(restApiId=api, parentId=parent, pathPart=part).get("id")

    proxy = create("create-base-proxy-resource", root, "{proxy+}")
    create("create-proxy-dynamic-sibling-resource", root, "{dynamic}")
    create("create-proxy-static-child-resource", proxy, "static")
    create("create-proxy-dynamic-child-resource", proxy, "{dynamic}")
    create("create-greedy-child-resource", resource(aws, api, root, "parent"), "{child+}")


@replays("control/Resource.update_resource_on_root")
def root_stays(aws):
    api, root = api_with_root(aws)
    for label, operation in [
        ("update-root-path-part", replace("/pathPart", "pets")),
        ("update-root-parent", replace("/parentId", resource(aws, api, root, "pets"))),
    ]:
        aws(label).update_resource(restApiId=api, resourceId=root, **patch(operation))


# === authorizers, request validators ===


@replays("control/Authorizer.authorizer_crud_no_api")
def authorizers_of_nothing(aws):
    function = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:f/invocations"
    aws("wrong-rest-api-id-create-authorizer").create_authorizer(
        restApiId="test-fake-rest-id", name="guard", type="TOKEN", authorizerUri=function,
        identitySource="method.request.header.Authorization",
    )
    aws("wrong-rest-api-id-get-authorizers").get_authorizers(restApiId="test-fake-rest-id")


@replays("control/RequestValidator.validators_crud_no_api")
def validators_of_nothing(aws):
    aws("wrong-rest-api-id-create-validator").create_request_validator(restApiId="test-fake-rest-id", name="v")
    aws("wrong-rest-api-id-get-validators").get_request_validators(restApiId="test-fake-rest-id")


def api_and_validator(aws):
    api = aws("create-rest-api").create_rest_api(name="checked", description="my api")["id"]
    validator = aws("create-request-validator").create_request_validator(restApiId=api, name="checks")["id"]
    return {"restApiId": api, "requestValidatorId": validator}


@replays("control/RequestValidator.request_validator_lifecycle")
def life_of_a_validator(aws):
    which = api_and_validator(aws)
    api = which["restApiId"]
    body = "/validateRequestBody"
    aws("get-request-validator").get_request_validator(**which)
    aws("get-request-validators").get_request_validators(restApiId=api)
    aws("update-request-validator-with-value").update_request_validator(**which, **patch(replace(body, "true")))
    aws("update-request-validator-without-value").update_request_validator(**which, **patch(replace(body)))
    aws("get-request-validators-after-update-operation").get_request_validator(**which)
    aws("delete-request-validator").delete_request_validator(**which)
    aws("get-deleted-request-validator").get_request_validator(**which)
    aws("get-request-validators-after-delete").get_request_validators(restApiId=api)


@replays("control/RequestValidator.invalid_get_request_validator")
def validators_not_found(aws):
    api, _ = api_with_root(aws)
    validator = aws.create_request_validator(restApiId=api, name="checks")["id"]
    aws("get-request-validators-invalid-api-id").get_request_validator(restApiId="api_id", requestValidatorId=validator)
    aws("get-request-validators-invalid-validator-id").get_request_validator(restApiId=api, requestValidatorId="id")


@replays("control/RequestValidator.invalid_get_request_validators")
def validators_of_no_api(aws):
    aws("get-invalid-request-validators").get_request_validators(restApiId="api_id")


@replays("control/RequestValidator.invalid_delete_request_validator")
def validators_not_deleted(aws):
    api, _ = api_with_root(aws)
    validator = aws.create_request_validator(restApiId=api, name="checks")["id"]
    delete = "delete-request-validator-invalid-"
    aws(delete + "api-id").delete_request_validator(restApiId="api_id", requestValidatorId=validator)
    aws(delete + "validator-id").delete_request_validator(restApiId=api, requestValidatorId="id")


@replays("control/RequestValidator.create_request_validator_invalid_api_id")
def validator_for_no_api(aws):
    aws("invalid-create-request-validator").create_request_validator(restApiId="api_id", name="checks")


@replays("control/RequestValidator.invalid_update_request_validator_operations")
def validators_not_patched(aws):
    which = api_and_validator(aws)
    body = "/validateRequestBody"
    for label, operation in [
        ("update-request-validator-invalid-add-operation", add(body, "true")),
        ("update-request-validator-invalid-remove-operation", remove(body)),
        ("update-request-validator-invalid-path", replace("/invalidPath", "true")),
        ("update-request-validator-empty-name-value", replace("/name", "")),
    ]:
        aws(label).update_request_validator(**which, **patch(operation))


# === methods ===


@replays("control/Method.method_lifecycle")
def life_of_a_method(aws):
    where = {**new_root(aws), "httpMethod": "ANY"}
    aws("put-base-method-response").put_method(**where, authorizationType="NONE")
    aws("get-base-method-response").get_method(**where)
    aws("del-base-method-response").delete_method(**where)
    aws("get-deleted-method-response").get_method(**where)
    aws("delete-deleted-method-response").delete_method(**where)


@replays("control/Method.method_request_parameters")
def parameters_of_methods(aws):
    where = new_root(aws)
    places = {"header": "h", "querystring": "q"}
    parameters = {
        f"method.request.{place}.{letter}_{need}": need == "required"
        for place, letter in places.items() for need in ("optional", "required")
    }
    every = {**where, "httpMethod": "ANY"}
    aws("put-method-request-params-response").put_method(**every, authorizationType="NONE", requestParameters=parameters)
    aws("get-method-request-params-response").get_method(**every)
    twice = {"method.request.header.same": True, "method.request.querystring.same": True}
    aws("req-params-same-name").put_method(**where, httpMethod="GET", authorizationType="NONE", requestParameters=twice)


@replays("control/Method.put_method_model")
def models_in_use(aws):
    api, root = api_with_root(aws)
    first, second = "Pet", "PetTwo"
    for label, name in [("create-model", first), ("create-model-2", second)]:
        schema = json.dumps({"title": name, "type": "object"})
        aws(label).create_model(restApiId=api, name=name, contentType="application/json", schema=schema)
    in_json = "/requestModels/application~1json"
    at_root = {"restApiId": api, "resourceId": root, "httpMethod": "ANY"}
    at_test = {**at_root, "resourceId": resource(aws, api, root, "test")}

    def uses(label, where, name):
        aws(label).put_method(**where, authorizationType="NONE", requestModels={"application/json": name})

    def delete(label, name):
        aws(label).delete_model(restApiId=api, modelName=name)

    uses("put-method-request-models", at_root, first)
    delete("delete-model-used", first)
    aws("update-method-model").update_method(**at_root, **patch(replace(in_json, second)))
    delete("delete-model-unused", first)
    delete("delete-model-used-2", second)
    uses("put-method-2-request-models", at_test, second)
    delete("delete-model-used-by-2-method", second)
    aws("update-method-model-2").update_method(**at_test, **patch(remove(in_json)))
    delete("delete-model-used-by-method-1", second)
    aws("delete-method-using-model-2").delete_method(**at_root)
    delete("delete-model-unused-2", second)


@replays("control/Method.put_method_validation")
def methods_refused(aws):
    api, root = api_with_root(aws)
    good = {"restApiId": api, "resourceId": root, "httpMethod": "ANY", "authorizationType": "NONE"}
    for label, changed in [
        ("wrong-api", {"restApiId": UNKNOWN}),
        ("wrong-resource", {"resourceId": UNKNOWN}),
        ("wrong-method", {"httpMethod": "FETCH"}),
        ("missing-authorizer-id", {"authorizationType": "CUSTOM"}),
        ("invalid-request-validator", {"requestValidatorId": UNKNOWN}),
        ("invalid-model-name", {"requestModels": {"application/json": "petModel"}}),
    ]:
        aws(label).put_method(**{**good, **changed})


def authorizer(aws, api):
    function = "arn:aws:lambda:us-east-1:111111111111:function:guard"
    return aws.create_authorizer(
        restApiId=api, name="guard", type="TOKEN", identitySource="method.request.header.Authorization",
        authorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )["id"]


@replays("control/Method.update_method")
def methods_patched(aws):
    where = {**new_root(aws), "httpMethod": "ANY"}
    optional, model = "/requestParameters/method.request.querystring.optional", "/requestModels/application~1json"
    aws("put-method-response").put_method(**where, authorizationType="NONE")
    for label, operations in [
        ("update-method-add", [add(optional, "true"), add(model, "Empty")]),
        ("update-method-replace", [
            replace("/operationName", "ReplacedOperationName"), replace("/apiKeyRequired", "true"),
            replace("/authorizationType", "AWS_IAM"), replace(optional, "false"),
        ]),
        ("update-method-replace-authorizer", [
            replace("/authorizationType", "CUSTOM"), replace("/authorizerId", authorizer(aws, where["restApiId"])),
        ]),
        ("update-method-remove", [remove(optional), remove(model)]),
    ]:
        aws(label).update_method(**where, **patch(*operations))


@replays("control/Method.update_method_validation")
def methods_not_patched(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": root, "httpMethod": "ANY"}
    name = replace("/operationName", "other")
    aws("wrong-rest-api").update_method(**{**where, "restApiId": UNKNOWN}, **patch(name))
    aws("wrong-resource-id").update_method(**{**where, "resourceId": UNKNOWN}, **patch(name))
    aws("method-does-not-exist").update_method(**where, **patch(name))
    aws("put-method-response").put_method(**where, authorizationType="NONE", apiKeyRequired=True)
    custom = replace("/authorizationType", "CUSTOM")
    for label, operations in [
        ("unsupported-operation", [add("/operationName", "other")]),
        ("unsupported-operation-2", [remove("/operationName")]),
        ("unsupported-path", [replace("/httpMethod", "GET")]),
        ("wrong-path-request-parameters", [add("/requestParameters", "method.request.querystring.optional=true")]),
        ("wrong-path-request-models", [add("/requestModels/application/json", "Empty")]),
        ("wrong-value-type", [replace("/apiKeyRequired", "maybe")]),
        ("wrong-auth-type", [custom]),
        ("skip-auth-id-with-wrong-type", [replace("/authorizerId", "abc123")]),
        ("wrong-auth-id", [custom, replace("/authorizerId", "abc123")]),
        ("wrong-req-validator-id", [replace("/requestValidatorId", "abc123")]),
    ]:
        aws(label).update_method(**where, **patch(*operations))


# === models ===


@replays("control/Models.model_lifecycle")
def life_of_a_model(aws):
    api, _ = api_with_root(aws)
    number = {"type": "number"}
    operator = {"type": "string", "description": "operation of +, -, * or /"}
    schema = {
        "title": "Calc output", "type": "object", "properties": {"a": number, "b": number, "op": operator, "c": number},
        "required": ["a", "b", "op"],
    }
    aws("create-model").create_model(
        restApiId=api, name="CalcOutput", description="Calc output model", contentType="application/json",
        schema=json.dumps(schema),
    )
    aws("get-models", sort="name").get_models(restApiId=api)
    aws("get-model").get_model(restApiId=api, modelName="CalcOutput")
    aws("del-model").delete_model(restApiId=api, modelName="CalcOutput")


@replays("control/Models.model_validation")
def models_refused(aws):
    api, _ = api_with_root(aws)
    good = {"restApiId": api, "name": "MySchema", "contentType": "application/json", "schema": '{"type": "object"}'}
    aws("create-model-wrong-id").create_model(**{**good, "restApiId": "abcde0"})
    aws("get-models-wrong-id").get_models(restApiId="abcde0")
    aws("get-model-wrong-id").get_model(restApiId="abcde0", modelName="MySchema")
    aws("del-model-wrong-id").delete_model(restApiId="abcde0", modelName="MySchema")
    aws.create_model(**good)
    for label, changed in [
        ("create-model-already-exists", {}),
        ("create-model-empty-name", {"name": ""}),
        ("create-model-empty-schema", {"name": "Other", "schema": ""}),
        ("create-model-no-schema-json", {"name": "Other", "schema": None}),
        ("create-model-no-schema-xml", {"name": "Other", "schema": None, "contentType": "application/xml"}),
    ]:
        arguments = {name: value for name, value in {**good, **changed}.items() if value is not None}
        aws(label).create_model(**arguments)


@replays("control/Models.update_model")
def models_patched(aws):
    api, _ = api_with_root(aws)
    schema = json.dumps({"title": "mySchema", "type": "object"})
    updated = json.dumps({"title": "Updated schema", "type": "object"})
    aws("update-model-wrong-id").update_model(restApiId=UNKNOWN, modelName="mySchema", **patch(replace("/schema", updated)))
    aws("create-model").create_model(restApiId=api, name="mySchema", contentType="application/json", schema=schema)
    for label, operation in [
        ("update-model", replace("/schema", updated)),
        ("update-model-invalid-op", add("/wrong-path", "new")),
        ("update-model-invalid-path", replace("/name", "new")),
        ("update-model-empty-schema", replace("/schema", "")),
    ]:
        aws(label).update_model(restApiId=api, modelName="mySchema", **patch(operation))


# === gateway responses ===

TEMPLATE = """{
     "message": $context.error.messageString,
     "type":  "$context.error.responseType",
     "stage":  "$context.stage",
     "resourcePath":  "$context.resourcePath",
     "stageVariables.a":  "$stageVariables.a",
     "statusCode": "'404'"
}"""
PARAMETERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'a.b.c'",
    "gatewayresponse.header.x-request-header": "method.request.header.Accept",
    "gatewayresponse.header.x-request-path": "method.request.path.petId",
    "gatewayresponse.header.x-request-query": "method.request.querystring.q",
}
ONE_PARAMETER = {"gatewayresponse.header.x-request-header": "method.request.header.Accept"}
MISSING = "MISSING_AUTHENTICATION_TOKEN"


def all_gateway_responses(aws, label, api):
    aws(label, sort="responseType").get_gateway_responses(restApiId=api)


@replays("control/GatewayResponse.gateway_response_crud")
def life_of_a_gateway_response(aws):
    api, _ = api_with_root(aws)
    which = {"restApiId": api, "responseType": MISSING}
    aws("get-gateway-response-default").get_gateway_response(**which)
    aws("put-gateway-response").put_gateway_response(
        **which, statusCode="404", responseParameters=PARAMETERS, responseTemplates={"application/json": TEMPLATE}
    )
    all_gateway_responses(aws, "get-gateway-responses", api)
    aws("get-gateway-response").get_gateway_response(**which)
    aws("delete-gateway-response").delete_gateway_response(**which)
    aws("get-deleted-gw-response").get_gateway_response(**which)


@replays("control/GatewayResponse.gateway_response_put")
def gateway_responses_put(aws):
    api, _ = api_with_root(aws)
    templates = {"application/json": TEMPLATE}
    for label, kind, members in [
        ("all-value", MISSING, {"statusCode": "404", "responseParameters": PARAMETERS, "responseTemplates": templates}),
        ("status-only", MISSING, {"statusCode": "404"}),
        ("response-parameters-only", MISSING, {"responseParameters": ONE_PARAMETER}),
        ("response-templates-only", MISSING, {"responseTemplates": templates}),
        ("default-5xx", "DEFAULT_5XX", {"statusCode": "599", "responseParameters": ONE_PARAMETER, "responseTemplates": templates}),
        ("default-ignored", "AUTHORIZER_FAILURE", {"responseParameters": {"gatewayresponse.header.foo": "'bar'"}}),
    ]:
        aws(f"put-gateway-response-{label}").put_gateway_response(restApiId=api, responseType=kind, **members)
    all_gateway_responses(aws, "get-gateway-responses", api)


@replays("control/GatewayResponse.gateway_response_validation")
def gateway_responses_refused(aws):
    nowhere = {"restApiId": "fake-api-id", "responseType": MISSING}
    status = patch(replace("/statusCode", "444"))
    all_gateway_responses(aws, "get-gateway-responses-no-api", "fake-api-id")
    aws("get-gateway-response-no-api").get_gateway_response(**nowhere)
    aws("delete-gateway-response-no-api").delete_gateway_response(**nowhere)
    aws("update-gateway-response-no-api").update_gateway_response(**nowhere, **status)
    api, _ = api_with_root(aws)
    aws("delete-gateway-response-not-set").delete_gateway_response(restApiId=api, responseType=MISSING)
    odd = {"restApiId": api, "responseType": "FAKE_RESPONSE_TYPE"}
    aws("get-gateway-response-wrong-response-type").get_gateway_response(**odd)
    aws("delete-gateway-response-wrong-response-type").delete_gateway_response(**odd)
    aws("update-gateway-response-wrong-response-type").update_gateway_response(**odd, **status)
    aws("put-gateway-response-wrong-response-type").put_gateway_response(**odd)


@replays("control/GatewayResponse.update_gateway_response")
def gateway_responses_patched(aws):
    api, _ = api_with_root(aws)
    which = {"restApiId": api, "responseType": "DEFAULT_4XX"}
    origin = "/responseParameters/gatewayresponse.header.Access-Control-Allow-Origin"
    xml = (
        "<gatewayResponse><message>$context.error.messageString</message>"
        "<type>$context.error.responseType</type></gatewayResponse>"
    )

    def update(label, *operations):
        aws(label).update_gateway_response(**which, **patch(*operations))

    update("update-gateway-response-not-set", replace("/statusCode", "444"))
    aws("default-get-gateway-response").get_gateway_response(**which)
    aws("put-gateway-response").put_gateway_response(
        **which, statusCode="404", responseParameters=PARAMETERS,
        responseTemplates={"application/json": json.dumps({"application/json": '{"message":$context.error.messageString}'})},
    )
    update(
        "update-gateway-response", add("/responseTemplates/application~1xml", xml), replace(origin, "'example.com'"),
        replace("/statusCode", "444"),
    )
    aws("get-gateway-response").get_gateway_response(**which)
    for label, operation in [
        ("add-status-code", add("/statusCode", "444")),
        ("remove-status-code", remove("/statusCode")),
        ("replace-invalid-parameter", replace("/responseParameters/gatewayresponse.header.unknown", "'x'")),
        ("no-path", {"op": "add", "value": "444"}),
        ("wrong-op", {"op": "wrong-op", "path": "/statusCode", "value": "444"}),
        ("wrong-path", replace("/wrongPath", "444")),
        ("replace-invalid-parameter-0-none", replace("/responseTemplates/application~1json")),
        ("replace-invalid-parameter-1-none", replace(origin)),
    ]:
        update(f"update-gateway-{label}", operation)


# === test invocations ===


@replays("control/TestInvoke.invoke_test_method")
def test_invocations(aws):
    api, root = api_with_root(aws)
    pets = resource(aws, api, root, "pets")
    pet = resource(aws, api, pets, "{petId}")
    mock(aws, api, pets, '{"pets": "all the pets"}')
    for verb in ["GET", "POST"]:
        mock(aws, api, pet, """{"petId": "$input.params('petId')"}""", verb)

    def invoke(label, where, verb="GET", **more):
        aws(label).test_invoke_method(restApiId=api, resourceId=where, httpMethod=verb, **more)

    here = "test-invoke-method-"
    invoke(here + "get-pets", pets, pathWithQueryString="/pets")
    invoke(here + "get-pets-bad-path", pets, pathWithQueryString="/random/test")
    invoke(here + "get-pets-id", pet, pathWithQueryString="/pets/123")
    invoke(here + "get-pets-id-no-path", pet)
    invoke(here + "get-pets-id-bad-path", pet, pathWithQueryString="/random/test")
    invoke(here + "get-with-qs", pet, pathWithQueryString="/pets/123?foo=bar")
    invoke(here + "post-with-body", pet, "POST", pathWithQueryString="/pets/123", body='{"foo": "bar"}')
    invoke("resource-method-not-found", pets, "DELETE")
    invoke("resource-id-not-found", UNKNOWN)
    aws("rest-api-not-found").test_invoke_method(restApiId=UNKNOWN, resourceId=pets, httpMethod="GET")


@replays("control/TestInvoke.failed_invoke_test_method")
def failed_test_invocation(aws):
    where = {**new_root(aws), "httpMethod": "GET"}
    aws.put_method(**where, authorizationType="NONE")
    aws.put_integration(**where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://${stageVariables.host}/pets")
    aws("test-invoke-failure").test_invoke_method(**where)


# === integrations ===


@replays("control/Integration.put_integration_wrong_type")
def integration_types(aws):
    where = get_method(aws)
    aws("put-integration-wrong-type").put_integration(**where, type="HTTPS_PROXY", uri="http://example.com")


@replays("control/Integration.put_integration_response_validation")
def integrations_refused(aws):
    where = get_method(aws)
    for label, changed in [("wrong-method", {"httpMethod": "POST"}), ("wrong-resource", {"resourceId": UNKNOWN})]:
        aws(f"put-integration-{label}").put_integration(**{**where, **changed}, type="MOCK")
        aws(f"put-integration-response-{label}").put_integration_response(**{**where, **changed}, statusCode="200")


@replays("control/Integration.put_integration_request_parameter_bool_type")
def parameters_are_texts(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "{testPath}"), "httpMethod": "GET"}
    aws("bool-method").put_method(
        **where, authorizationType="NONE", requestParameters={"method.request.path.testPath": True}
    )
    for label, parameters in [
        ("put-method-request-param-wrong-type", {"integration.request.path.testPath": "true"}),
        ("put-integration-request-param-wrong-type", {"integration.request.path.testPath": True}),
        ("put-integration-request-param-bool-value", {True: True}),
    ]:
        aws(label).put_integration(
            **where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://example.com/{testPath}",
            requestParameters=parameters,
        )


@replays("control/Integration.create_integration_with_vpc_link")
def integration_by_vpc_link(aws):
    where = get_method(aws)
    aws("put-integration-vpc-link").put_integration(
        **where, type="HTTP_PROXY", integrationHttpMethod="GET", connectionType="VPC_LINK",
        connectionId="${stageVariables.vpcLinkId}", uri="http://my-vpclink-test-nlb-1234567890abcdef.us-east-1.amazonaws.com",
    )
    aws("get-integration-vpc-link").get_integration(**where)
    aws("update-integration-vpc-link").update_integration(
        **where, **patch(replace("/connectionId", "${stageVariables.vpcLinkIdBeta}"))
    )
    aws("get-integration-update-vpc-link").get_integration(**where)


@replays("control/Integration.get_integration_non_existent")
def integrations_not_found(aws):
    where = get_method(aws)
    for label, changed in [
        ("no-api", {"restApiId": UNKNOWN}),
        ("no-resource", {"resourceId": UNKNOWN}),
        ("no-method", {"httpMethod": "POST"}),
        ("no-integration", {}),
    ]:
        aws(f"get-integration-{label}").get_integration(**{**where, **changed})


@replays("control/Integration.put_integration_response_templates")
def empty_templates(aws):
    where = mocked(aws)
    put = {**where, "statusCode": "200", "selectionPattern": ""}
    aws("put-integration-response-template-none").put_integration_response(**put, responseTemplates={"application/json": None})
    aws("put-integration-response-template-empty").put_integration_response(**put, responseTemplates={"application/json": ""})
    aws("put-integration-no-response-template").put_integration_response(**put)


# === responses of integrations and methods ===


def mocked(aws):
    """A GET method with a MOCK integration and a method response; what names it."""
    where = get_method(aws)
    aws.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    aws.put_method_response(**where, statusCode="200")
    return where


CREATED = {"selectionPattern": "", "responseTemplates": {"application/json": '"created"'}}


@replays("control/IntegrationResponse.lifecycle_integration_response")
def life_of_an_integration_response(aws):
    where = get_method(aws)
    aws.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    which = {**where, "statusCode": "200"}
    aws("put-integration-response").put_integration_response(**which, **CREATED)
    aws("get-integration-response").get_integration_response(**which)
    aws("update-integration-response").update_integration_response(
        **which, **patch(replace("/selectionPattern", "updated-pattern"))
    )
    aws("overwrite-integration-response").put_integration_response(
        **which, selectionPattern="overwrite-pattern", responseTemplates={"application/json": "overwrite"}
    )
    aws("get-method").get_method(**where)
    aws("delete-integration-response").delete_integration_response(**which)


def put_and_get(changed, put_label, get_label):
    def calls(aws):
        where = {**mocked(aws), "statusCode": "200", **changed}
        aws(put_label).put_integration_response(**where, **CREATED)
        aws(get_label).get_integration_response(**where)

    return calls


for recorded_test, changed_part, ending in [
    ("wrong_api", {"restApiId": UNKNOWN}, "wrong-api"),
    ("wrong_resource", {"resourceId": UNKNOWN}, "wrong-resource"),
    ("wrong_method", {"httpMethod": "POST"}, "wrong-method"),
    ("invalid_statuscode", {"statusCode": "wrong"}, "invalid-statusCode"),
]:
    replays(f"control/IntegrationResponse.integration_response_{recorded_test}")(
        put_and_get(changed_part, f"put-integration-response-{ending}", f"get-integration-response-{ending}")
    )


@replays("control/IntegrationResponse.integration_response_invalid_responsetemplates")
def templates_are_texts(aws):
    where = mocked(aws)
    for label, templates in [("1", {"application/json": 123}), ("2", {"123": "text"})]:
        aws(f"put-integration-response-invalid-responseTemplates-{label}").put_integration_response(
            **where, statusCode="200", responseTemplates=templates
        )


@replays("control/IntegrationResponse.integration_response_invalid_integration")
def response_of_no_integration(aws):
    where = get_method(aws)
    aws("get-integration-response-without-integration").get_integration_response(**where, statusCode="200")


@replays("control/IntegrationResponse.integration_response_wrong_status_code")
def response_of_another_status(aws):
    where = mocked(aws)
    aws("get-integration-response-wrong-status-code").get_integration_response(**where, statusCode="201")


@replays("control/IntegrationResponse.delete_integration_response_errors")
def responses_not_deleted(aws):
    which = {**mocked(aws), "statusCode": "200"}
    aws("put-integration-response").put_integration_response(**which, **CREATED)
    for label, changed in [
        ("non-existent-resource", {"resourceId": UNKNOWN}),
        ("non-existent-api-id", {"restApiId": UNKNOWN}),
        ("non-existent-method", {"httpMethod": "POST"}),
        ("non-existent-status-code", {"statusCode": "201"}),
        ("bad-method", {"httpMethod": "FETCH"}),
    ]:
        aws(label).delete_integration_response(**{**which, **changed})


HEADER = "/responseParameters/method.response.header.my-header"
MODEL = "/responseModels/application~1json"


@replays("control/MethodResponse.lifecycle_method_response")
def life_of_a_method_response(aws):
    where = get_method(aws)
    aws.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    which = {**where, "statusCode": "200"}
    aws("put-method-response").put_method_response(**which, responseParameters={}, responseModels={})
    aws("get-integration-response").get_method_response(**which)
    aws("add-method-responses").update_method_response(**which, **patch(add(HEADER, "true"), add(MODEL, "Empty")))
    aws("update-method-responses").update_method_response(**which, **patch(replace(HEADER, "true"), replace(MODEL, "Empty")))
    aws("get-method").get_method(**where)
    aws("delete-method-response").delete_method_response(**which)


def with_method_response(aws, **members):
    which = {**get_method(aws), "statusCode": "200"}
    aws.put_method_response(**which, **members)
    return which


FULL = {
    "responseParameters": {"method.response.header.my-header": True}, "responseModels": {"application/json": "Empty"}
}


@replays("control/MethodResponse.update_method_response")
def method_responses_patched(aws):
    which = with_method_response(aws, **FULL)
    aws("remove-update-method-response").update_method_response(**which, **patch(remove(HEADER), remove(MODEL)))
    aws("add-update-method-response").update_method_response(**which, **patch(add(HEADER, "true"), add(MODEL, "Empty")))


@replays("control/MethodResponse.update_method_response_wrong_operations")
def unknown_operations(aws):
    which = with_method_response(aws, **FULL)
    header, model = wrong(HEADER, "true"), wrong(MODEL, "Empty")
    for number, operations in enumerate([
        [header], [model], [header, model], [header, model, header, model], [header, add(MODEL, "Empty"), header],
    ], 1):
        aws(f"update-method-response-wrong-operation-{number}").update_method_response(**which, **patch(*operations))


@replays("control/MethodResponse.update_method_response_negative_tests")
def method_responses_not_found(aws):
    which = with_method_response(aws)
    good, bad = patch(add(HEADER, "true")), patch(wrong(HEADER, "true"))
    for label, changed, operations in [
        ("wrong-statuscode", {"statusCode": "201"}, good),
        ("invalid-statuscode", {"statusCode": "wrong"}, good),
        ("invalid-statuscode-and-wrong-op", {"statusCode": "wrong"}, bad),
        ("wrong-resource", {"resourceId": UNKNOWN}, good),
        ("wrong-method", {"httpMethod": "POST"}, good),
    ]:
        aws(f"update-method-response-{label}").update_method_response(**{**which, **changed}, **operations)


@replays("control/MethodResponse.update_method_lack_response_parameters_and_models")
def empty_method_responses(aws):
    which = with_method_response(aws)
    for label, operation in [
        ("without-response-parameters", replace(HEADER, "true")),
        ("without-response-models", replace(MODEL, "Empty")),
        ("with-wrong-path", add("/wrong/method.response.header.my-header", "true")),
    ]:
        aws(f"update-method-response-operation-{label}").update_method_response(**which, **patch(operation))


@replays("control/MethodResponse.update_method_wrong_param_names")
def unknown_names_in_method_responses(aws):
    which = with_method_response(aws, **FULL)
    header, model = "/responseParameters/method.response.header.other", "/responseModels/application~1xml"
    operations = [replace(header, "true"), remove(header), replace(model, "Empty"), remove(model)]
    for number, operation in enumerate(operations, 1):
        label = f"update-method-response-operation-with-wrong-param-name-{number}"
        aws(label).update_method_response(**which, **patch(operation))


# === documentation ===

API_PART = {"location": {"type": "API"}, "properties": '{"description":"Sample API description"}'}


@replays("control/DocumentationPart.doc_parts_crud_no_api")
def parts_of_nothing(aws):
    aws("wrong-rest-api-id-create-doc-part").create_documentation_part(restApiId="test-fake-rest-id", **API_PART)
    aws("wrong-rest-api-id-get-doc-parts").get_documentation_parts(restApiId="test-fake-rest-id")


@replays("control/DocumentationPart.documentation_part_lifecycle")
def life_of_a_part(aws):
    api, _ = api_with_root(aws)
    part = aws("create-documentation-part").create_documentation_part(restApiId=api, **API_PART)["id"]
    which = {"restApiId": api, "documentationPartId": part}
    updated = '{"description":"Updated Sample API description"}'
    aws("get-documentation-part").get_documentation_part(**which)
    aws("get-documentation-parts").get_documentation_parts(restApiId=api)
    aws("update-documentation-part").update_documentation_part(**which, **patch(replace("/properties", updated)))
    aws("get-documentation-part-after-update").get_documentation_part(**which)
    aws("delete_documentation_part").delete_documentation_part(**which)


def api_and_part(aws):
    api, _ = api_with_root(aws)
    return {"restApiId": api, "documentationPartId": aws.create_documentation_part(restApiId=api, **API_PART)["id"]}


@replays("control/DocumentationPart.invalid_get_documentation_part")
def parts_not_found(aws):
    which = api_and_part(aws)
    aws("get-documentation-part-invalid-api-id").get_documentation_part(**{**which, "restApiId": "api_id"})
    aws("get-documentation-part-invalid-doc-id").get_documentation_part(**{**which, "documentationPartId": "doc_id"})


@replays("control/DocumentationPart.invalid_get_documentation_parts")
def parts_of_no_api(aws):
    aws("get-inavlid-documentation-parts").get_documentation_parts(restApiId="api_id")


@replays("control/DocumentationPart.invalid_update_documentation_part")
def parts_not_patched(aws):
    which = api_and_part(aws)
    good = replace("/properties", '{"description":"other"}')
    for label, changed, operation in [
        ("api-id", {"restApiId": "api_id"}, good),
        ("add-operation", {}, {**good, "op": "add"}),
        ("path", {}, replace("/invalidPath", "other")),
    ]:
        aws(f"update-documentation-part-invalid-{label}").update_documentation_part(**{**which, **changed}, **patch(operation))


@replays("control/DocumentationPart.invalid_create_documentation_part_operations")
def parts_refused(aws):
    api, _ = api_with_root(aws)
    create = "create_documentation_part_invalid_"
    aws(create + "api_id").create_documentation_part(restApiId="api_id", **API_PART)
    aws(create + "location_type").create_documentation_part(restApiId=api, **{**API_PART, "location": {"type": "INVALID"}})


@replays("control/DocumentationPart.invalid_delete_documentation_part")
def parts_not_deleted(aws):
    which = api_and_part(aws)
    aws("delete_documentation_part_wrong_api_id").delete_documentation_part(**{**which, "restApiId": "api_id"})
    aws("delete_documentation_part").delete_documentation_part(**which)
    aws("delete_already_deleted_documentation_part").delete_documentation_part(**which)


#: A definition with documentation of four kinds, which is also one that ImportDocumentationParts takes.
DOCUMENTED = {
    "openapi": "3.0.0",
    "info": {"title": "documented", "version": "1"},
    "paths": {
        "/": {
            "get": {
                "responses": {"200": {"description": "200 response"}},
                "x-amazon-apigateway-integration": {
                    "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {"default": {"statusCode": "200"}},
                },
            }
        }
    },
    "x-amazon-apigateway-documentation": {
        "version": "1",
        "documentationParts": [
            {
                "location": {"type": "API"},
                "properties": {
                    "description": "API description",
                    "info": {"description": "API info description 4", "version": "API info version 3"},
                },
            },
            {"location": {"type": "METHOD", "path": "/", "method": "GET"}, "properties": {"description": "Method description."}},
            {"location": {"type": "MODEL", "name": "Empty"}, "properties": {"title": "Empty Schema"}},
            {
                "location": {"type": "RESPONSE", "path": "/", "method": "GET", "statusCode": "200"},
                "properties": {"description": "200 response"},
            },
        ],
    },
}


@replays("control/DocumentationPart.import_documentation_parts")
def parts_imported(aws):
    body = json.dumps(DOCUMENTED)
    api = aws.import_rest_api(body=body)["id"]
    aws("get-documentations-parts-after-api-imports").get_documentation_parts(restApiId=api)
    aws("import-documentation-parts").import_documentation_parts(restApiId=api, mode="overwrite", body=body)
    aws("get-documentations-parts-after-import").get_documentation_parts(restApiId=api)


@replays("control/DocumentationPart.import_documentation_parts_bad_file")
def parts_not_imported(aws):
    api, _ = api_with_root(aws)
    for label, body in [("yaml", "swagger: '2.0'\n  paths:\n- odd"), ("json", '{"swagger": "2.0"')]:
        aws(f"import-documentation-parts-bad-{label}-file").import_documentation_parts(restApiId=api, body=body)


# === VPC links ===

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/nlb/0123456789abcdef"


@replays("control/VpcLink.vpc_link_lifecycle")
def life_of_a_vpc_link(aws):
    aws.check("nlb-arn", BALANCER)
    link = aws("create_vpc_link").create_vpc_link(name="link", targetArns=[BALANCER])["id"]
    until_available(aws, link)
    aws("get_vpc_link").get_vpc_link(vpcLinkId=link)
    aws("get_vpc_links").get_vpc_links()
    aws("update_vpc_link").update_vpc_link(vpcLinkId=link, **patch(replace("/name", "link-updated")))
    aws("delete_vpc_link").delete_vpc_link(vpcLinkId=link)


@replays("control/VpcLink.create_vpc_link_invalid_parameters")
def vpc_links_refused(aws):
    aws("create_vpc_link_invalid_target_arn").create_vpc_link(name="link", targetArns=["invalid-arn"])
    aws("create_vpc_link_empty_name").create_vpc_link(name="", targetArns=[BALANCER])


@replays("control/VpcLink.get_vpc_link_invalid_id")
def vpc_link_not_found(aws):
    aws("get_vpc_link_invalid_id").get_vpc_link(vpcLinkId="invalid-id")


@replays("control/VpcLink.delete_vpc_link_invalid_id")
def vpc_link_not_deleted(aws):
    aws("delete_vpc_link_invalid_id").delete_vpc_link(vpcLinkId="invalid-id")


@replays("control/VpcLink.update_vpc_link_invalid_id")
def vpc_link_not_patched(aws):
    aws("update_vpc_link_invalid_id").update_vpc_link(vpcLinkId="invalid-id", **patch(replace("/name", "new")))
