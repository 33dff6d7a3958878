"""What many of the replayed tests begin with: APIs, methods, patch operations."""

import time

#: An id that nothing has.
UNKNOWN = "fakeid0000"


def add(path, value=None):
    return operation("add", path, value)


def replace(path, value=None):
    return operation("replace", path, value)


def remove(path):
    return operation("remove", path)


def wrong(path, value):
    return operation("wrong" if "endpoint" in path else "wrong_op", path, value)


def operation(op, path, value=None):
    return {"op": op, "path": path} if value is None else {"op": op, "path": path, "value": value}


def patch(*operations):
    return {"patchOperations": list(operations)}


def api_with_root(aws, name="replayed"):
    api = aws.create_rest_api(name=name)
    return api["id"], api["rootResourceId"]


def new_root(aws):
    """A new API's root resource, as the members that name it."""
    api, root = api_with_root(aws)
    return {"restApiId": api, "resourceId": root}


def resource(aws, api, parent, part):
    return aws.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]


def get_method(aws):
    """A new API with GET on its root; the members that name the method."""
    where = {**new_root(aws), "httpMethod": "GET"}
    aws.put_method(**where, authorizationType="NONE")
    return where


def mock(aws, api, where, template, verb="GET", request='{"statusCode": 200}', **method):
    """A method that answers with a template."""
    address = {"restApiId": api, "resourceId": where, "httpMethod": verb}
    aws.put_method(**address, authorizationType="NONE", **method)
    aws.put_integration(**address, type="MOCK", requestTemplates={"application/json": request})
    aws.put_method_response(**address, statusCode="200")
    aws.put_integration_response(**address, statusCode="200", responseTemplates={"application/json": template})


def something_to_deploy(aws):
    """A new API with one method; its id."""
    where = get_method(aws)
    aws.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    return where["restApiId"]


def until_available(aws, link):
    deadline = time.monotonic() + 20
    while aws.get_vpc_link(vpcLinkId=link)["status"] == "PENDING":
        assert time.monotonic() < deadline, "the VPC link stays PENDING"
        time.sleep(0.05)
