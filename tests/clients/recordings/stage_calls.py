"""The calls behind the recordings about deployments, stages, canaries, usage plans and documentation versions."""

from .data_calls import fetched
from .replay import replays
from .sentences import UNKNOWN, add, api_with_root, mock, patch, remove, replace, something_to_deploy

LOG_GROUP = "arn:aws:logs:us-east-1:111111111111:log-group:access"


# === stages ===


@replays("control/Stage.get_stages_filters_by_deployment_id")
def stages_of_a_deployment(aws):
    api = something_to_deploy(aws)
    first, second = (aws.create_deployment(restApiId=api, stageName=f"stage{n}")["id"] for n in (1, 2))
    aws("all-stages").get_stages(restApiId=api)
    aws("stages-deploy1").get_stages(restApiId=api, deploymentId=first)
    aws("stages-deploy2").get_stages(restApiId=api, deploymentId=second)


def dev_stage(aws):
    """Deploys something to a stage; a function that patches the stage under a label."""
    api = something_to_deploy(aws)
    deployment = aws("create-deployment").create_deployment(restApiId=api)["id"]
    aws("create-stage").create_stage(restApiId=api, stageName="dev", description="dev stage", deploymentId=deployment)
    return lambda label, *operations: aws(label).update_stage(restApiId=api, stageName="dev", **patch(*operations))


@replays("control/Stage.stage_access_log_settings")
def access_logs(aws):
    update = dev_stage(aws)
    log = "/accessLogSettings"
    update("update-stage-access-log-dest-add", add(f"{log}/destinationArn", LOG_GROUP))
    update("update-stage-access-log-dest-replace", replace(f"{log}/destinationArn", LOG_GROUP + "a"))
    update("update-stage-access-log-format-add", add(f"{log}/format", "$context.requestId $context.identity.sourceIp"))
    update("update-stage-access-log-remove-all", remove(log))


@replays("control/Stage.stage_access_log_settings_validation")
def access_logs_refused(aws):
    update = dev_stage(aws)
    log = "/accessLogSettings"
    for label, operation in [
        ("invalid-path-add", add(f"{log}/randomValue", "x")),
        ("invalid-path-remove", remove(f"{log}/randomValue")),
        ("invalid-path-replace", replace(f"{log}/randomValue", "x")),
        ("star-and-add", add(f"{log}/*", "x")),
        ("star-and-remove", remove(f"{log}/*")),
        ("star-and-replace", replace(f"{log}/*", "x")),
        ("root-and-add", add(log, "x")),
        ("root-and-replace", replace(log, "x")),
        ("update-stage-access-log-dest-add", add(f"{log}/destinationArn", LOG_GROUP)),
        ("update-stage-access-log-destinationArn-empty", replace(f"{log}/destinationArn", "")),
        ("update-stage-access-log-format-empty", replace(f"{log}/format", "")),
        ("update-stage-access-log-dest-remove", remove(f"{log}/destinationArn")),
    ]:
        update(label, operation)


def documented_stage(aws):
    """A stage with a documentation version; its API."""
    api = something_to_deploy(aws)
    deployment = aws.create_deployment(restApiId=api)["id"]
    aws.create_documentation_version(restApiId=api, documentationVersion="v123")
    aws("create-stage").create_stage(
        restApiId=api, stageName="s1", deploymentId=deployment, description="my stage", documentationVersion="v123"
    )
    return {"restApiId": api, "stageName": "s1"}


@replays("common/Stages.create_update_stages")
def stages_patched(aws):
    which = documented_stage(aws)
    aws("error-update-doc-version").update_stage(**which, **patch(replace("/documentation_version", "v123")))
    aws("error-update-tags").update_stage(**which, **patch(replace("/tags/tag1", "value1")))
    aws("update-stage").update_stage(
        **which,
        **patch(
            replace("/description", "stage new"), replace("/variables/var1", "test"), replace("/variables/var2", "test2"),
            replace("/*/*/throttling/burstLimit", "123"), replace("/*/*/caching/enabled", "true"),
            replace("/tracingEnabled", "true"), replace("/test/GET/throttling/burstLimit", "124"),
        ),
    )
    aws("get-stage").get_stage(**which)
    aws("update-stage-override").update_stage(**which, **patch(replace("/*/*/throttling/burstLimit", "100")))


@replays("common/Stages.update_stage_remove_wildcard")
def wildcard_removed(aws):
    which = documented_stage(aws)
    aws("get-stage").get_stage(**which)
    aws("delete-error").update_stage(**which, **patch(remove("/*/*")))
    aws("update-stage").update_stage(**which, **patch(replace("/*/*/caching/enabled", "true")))
    aws("update-stage-reset").update_stage(**which, **patch(remove("/*/*")))
    aws("get-stage-after-reset").get_stage(**which)


# === deployments ===


def deploy(aws, api, named):
    """A deployment with the stage `s1`, made by the one call or by two."""
    if named:
        return aws.create_deployment(restApiId=api, stageName="s1")["id"]
    deployment = aws.create_deployment(restApiId=api)["id"]
    aws.create_stage(restApiId=api, stageName="s1", deploymentId=deployment)
    return deployment


def deployments_deleted(named):
    def calls(aws):
        api = something_to_deploy(aws)
        deployment = deploy(aws, api, named)
        aws("get-deployment").get_deployment(restApiId=api, deploymentId=deployment)
        aws("get-stages").get_stages(restApiId=api)
        for number in range(3):
            aws(f"delete-deployment-error-{number}").delete_deployment(restApiId=api, deploymentId=deployment)
            aws.delete_stage(restApiId=api, stageName="s1")
            aws.delete_deployment(restApiId=api, deploymentId=deployment)
            deployment = deploy(aws, api, named)
            aws(f"get-deployments-{number}").get_deployments(restApiId=api)
            aws(f"get-stages-{number}").get_stages(restApiId=api)

    return calls


replays("common/Deployments.create_delete_deployments[True]")(deployments_deleted(named=True))
replays("common/Deployments.create_delete_deployments[False]")(deployments_deleted(named=False))


@replays("common/Deployments.create_update_deployments")
def stage_moved(aws):
    api = something_to_deploy(aws)
    first = aws.create_deployment(restApiId=api, stageName="s1")["id"]
    aws("get-deployment-1").get_deployment(restApiId=api, deploymentId=first)
    aws("get-stages").get_stages(restApiId=api)
    aws("delete-deployment-error").delete_deployment(restApiId=api, deploymentId=first)
    second = aws.create_deployment(restApiId=api)["id"]
    aws.update_stage(restApiId=api, stageName="s1", **patch(replace("/deploymentId", second)))
    aws("get-deployment-1-after-update").get_deployment(restApiId=api, deploymentId=first)
    aws("get-deployment-2").get_deployment(restApiId=api, deploymentId=second)
    aws("get-stages-after-update").get_stages(restApiId=api)
    aws("delete-deployment-1").delete_deployment(restApiId=api, deploymentId=first)
    aws("delete-deployment-2-error").delete_deployment(restApiId=api, deploymentId=second)


@replays("basic/update_rest_api_deployment")
def deployment_described(aws):
    api = something_to_deploy(aws)
    deployment = aws.create_deployment(restApiId=api, description="old-description")["id"]
    operations = patch(replace("/description", "new-description"))
    aws("after-update").update_deployment(restApiId=api, deploymentId=deployment, **operations)


@replays("common/Documentations.documentation_parts_and_versions")
def documentation_versions(aws):
    api, _ = api_with_root(aws)
    aws("create-part-response").create_documentation_part(restApiId=api, location={"type": "API"}, properties='{"foo": "bar"}')
    aws("get-parts-response").get_documentation_parts(restApiId=api)
    aws("create-version-response").create_documentation_version(restApiId=api, documentationVersion="v123")
    aws("update-version-response").update_documentation_version(
        restApiId=api, documentationVersion="v123", **patch(replace("/description", "doc version new"))
    )
    aws("get-version-response").get_documentation_version(restApiId=api, documentationVersion="v123")


# === usage plans and authorizers ===


def deployed_api(aws):
    api = something_to_deploy(aws)
    aws.create_deployment(restApiId=api, stageName="dev")
    return api


@replays("common/UsagePlans.api_key_required_for_methods")
def keys_of_plans(aws):
    api = deployed_api(aws)
    plan = aws("create-usage-plan").create_usage_plan(
        name="plan", description="Test Usage Plan for API key", quota={"limit": 10, "period": "DAY", "offset": 0},
        throttle={"rateLimit": 2, "burstLimit": 1}, apiStages=[{"apiId": api, "stage": "dev"}], tags={"tag_key": "tag_value"},
    )["id"]
    key = aws("create-api-key").create_api_key(name="key", enabled=True)["id"]
    aws("create-usage-plan-key").create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    aws("update-api-key-disabled").update_api_key(apiKey=key, **patch(replace("/enabled", "false")))


@replays("common/UsagePlans.usage_plan_crud")
def life_of_a_usage_plan(aws):
    api = deployed_api(aws)
    plan = aws("create-usage-plan").create_usage_plan(
        name="plan", description="what it is for", apiStages=[{"apiId": api, "stage": "dev"}]
    )["id"]
    aws("get-usage-plan").get_usage_plan(usagePlanId=plan)
    aws("get-usage-plans").get_usage_plans()
    aws("update-usage-plan").update_usage_plan(
        usagePlanId=plan,
        **patch(
            replace("/throttle/burstLimit", "100"), replace("/throttle/rateLimit", "200"), replace("/quota/limit", "5000"),
            replace("/quota/period", "MONTH"),
        ),
    )
    aws("update-wrong-id").update_usage_plan(usagePlanId=UNKNOWN, **patch(replace("/throttle/burstLimit", "100")))
    for label, operation in [
        ("no-value", add("/apiStages")),
        ("wrong-api", add("/apiStages", f"{api}b:dev")),
        ("wrong-stage", add("/apiStages", f"{api}:fakestagename")),
        ("wrong-value", add("/apiStages", "fakevalue")),
    ]:
        aws(f"update-wrong-api-stages-{label}").update_usage_plan(usagePlanId=plan, **patch(operation))
    aws("get-usage-plan-after-update").get_usage_plan(usagePlanId=plan)
    aws("get-usage-plans-after-update").get_usage_plans()


@replays("basic/apigateway_with_custom_authorization_method")
def custom_authorization(aws):
    api, root = api_with_root(aws)
    aws.check("api-id", {"api_id": api})
    function = "arn:aws:lambda:us-east-1:111111111111:function:authorizer"
    guard = aws("authorizer").create_authorizer(
        restApiId=api, name="lambda_authorizer", type="TOKEN", identitySource="method.request.header.Auth",
        authorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )["id"]
    aws("put-method-response").put_method(
        restApiId=api, resourceId=root, httpMethod="GET", authorizationType="CUSTOM", authorizerId=guard, apiKeyRequired=True
    )


# === canaries ===

VARIABLES = {"testVar": "default"}


def canary(percent, value, **more):
    return {"canarySettings": {"percentTraffic": percent, "stageVariableOverrides": {"testVar": value}, **more}}


def dev(api, deployment, name="dev", **more):
    return {
        "restApiId": api, "deploymentId": deployment, "stageName": name, "description": "dev stage", "variables": VARIABLES,
        **more,
    }


@replays("canary/StageCrudCanary.create_update_stages")
def canary_of_a_new_stage(aws):
    api = something_to_deploy(aws)
    first = aws("create-deployment-1").create_deployment(restApiId=api)["id"]
    second = aws("create-deployment-2").create_deployment(restApiId=api)["id"]
    stage = {"restApiId": api, "stageName": "dev"}
    aws("create-stage").create_stage(**dev(api, first, **canary(50, "canary", deploymentId=second)))
    aws("get-stage").get_stage(**stage)
    override = replace("/canarySettings/stageVariableOverrides/testVar", "updated")
    aws("update-stage-canary-settings-overrides").update_stage(**stage, **patch(override))
    aws("update-stage-remove-canary-settings").update_stage(**stage, **patch(remove("/canarySettings")))
    aws("get-stage-after-remove").get_stage(**stage)


@replays("canary/StageCrudCanary.create_canary_deployment_with_stage")
def canary_of_a_stage(aws):
    api = something_to_deploy(aws)
    deployment = aws("create-deployment").create_deployment(restApiId=api)["id"]
    aws("create-stage").create_stage(**dev(api, deployment))
    aws("create-canary-deployment").create_deployment(restApiId=api, stageName="dev", **canary(50, "canary"))
    aws("get-stage").get_stage(restApiId=api, stageName="dev")


@replays("canary/StageCrudCanary.create_canary_deployment")
def canary_replaced(aws):
    api = something_to_deploy(aws)
    first = aws("create-deployment").create_deployment(restApiId=api)["id"]
    aws("create-stage").create_stage(**dev(api, first, "dev1", **canary(40, "canary1", deploymentId=first)))
    second = aws("create-canary-deployment").create_deployment(restApiId=api, stageName="dev1", **canary(50, "canary2"))["id"]
    aws("get-stage-1").get_stage(restApiId=api, stageName="dev1")
    aws("create-stage-2").create_stage(**dev(api, first, "dev2", **canary(60, "canary-overridden", deploymentId=second)))
    aws("bad-canary-deployment-id").create_stage(**dev(api, first, "dev3", **canary(60, "x", deploymentId="deploy")))


@replays("canary/StageCrudCanary.create_canary_deployment_by_stage_update")
def canary_by_patch(aws):
    api = something_to_deploy(aws)
    first = aws("create-deployment").create_deployment(restApiId=api)["id"]
    second = aws("create-deployment-2").create_deployment(restApiId=api)["id"]
    stage = {"restApiId": api, "stageName": "dev"}
    aws("create-stage").create_stage(**dev(api, first))
    aws("update-stage-with-deployment").update_stage(**stage, **patch(replace("/canarySettings/deploymentId", second)))
    aws("remove-stage-canary").update_stage(**stage, **patch(remove("/canarySettings")))
    aws("update-stage-with-percent").update_stage(**stage, **patch(replace("/canarySettings/percentTraffic", "50")))
    aws("get-stage").get_stage(**stage)


@replays("canary/StageCrudCanary.create_canary_deployment_validation")
def canary_deployments_refused(aws):
    api = something_to_deploy(aws)
    for label, stage in [("no-stage", {}), ("empty-stage", {"stageName": ""}), ("non-existing-stage", {"stageName": "non-existing"})]:
        aws(f"create-canary-deployment-{label}").create_deployment(restApiId=api, **stage, **canary(50, "canary"))


@replays("canary/StageCrudCanary.update_stage_canary_deployment_validation")
def canary_patches_refused(aws):
    api = something_to_deploy(aws)
    aws.create_deployment(restApiId=api, stageName="dev")
    stage = {"restApiId": api, "stageName": "dev"}
    aws("get-stage").get_stage(**stage)
    settings = "/canarySettings"
    for label, operation in [
        ("canary-settings-remove-overrides", remove(f"{settings}/stageVariableOverrides")),
        ("canary-settings-bad-path", remove(f"{settings}/badPath")),
        ("canary-settings-bad-path-2", replace(settings, "x")),
        ("canary-settings-replace-bad-path", replace(f"{settings}/badPath", "x")),
        ("add-deployment", add(f"{settings}/deploymentId", "deploy")),
        ("no-deployment", replace(f"{settings}/deploymentId", "deploy")),
    ]:
        aws(f"update-stage-{label}").update_stage(**stage, **patch(operation))


def copy(source, target):
    return {"op": "copy", "from": source, "path": target}


@replays("canary/StageCrudCanary.update_stage_with_copy_ops")
def canary_promoted(aws):
    api = something_to_deploy(aws)
    stage = {"restApiId": api, "stageName": "dev"}
    aws("deployment-1").create_deployment(**stage, variables={"testVar": "test", "testVar2": "test2"})
    deployment, overrides = "/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides"
    promotion = [copy(deployment, "/deploymentId"), copy(overrides, "/variables")]
    aws("copy-with-bad-statement").update_stage(**stage, **patch(copy("/variables", overrides)))
    aws("copy-with-no-replace").update_stage(**stage, **patch(*promotion))
    zero = replace("/canarySettings/percentTraffic", "0.0")
    aws("update-stage-with-copy").update_stage(**stage, **patch(zero, *promotion))
    aws("deployment-canary").create_deployment(**stage, **canary(50, "override"))
    aws("get-stage").get_stage(**stage)
    aws("update-stage-with-copy-2").update_stage(**stage, **patch(zero, *promotion))


@replays("canary/CanaryDeployments.invoking_canary_deployment")
def canary_invoked(aws):
    api, root = api_with_root(aws)

    def template(message):
        return (
            '{"statusCode": 200, "message": "%s", "variable": "$stageVariables.testVar", '
            '"nonExistingDefault": "$stageVariables.noStageVar", "nonOverridden": "$stageVariables.defaultVar", '
            '"isCanary": "$context.isCanaryRequest"}' % message
        )

    mock(aws, api, root, template("default deployment"))
    stage = {"restApiId": api, "stageName": "dev"}
    variables = {"testVar": "default", "defaultVar": "default"}
    first = aws("create-deployment-1").create_deployment(restApiId=api)["id"]
    aws.create_stage(**stage, deploymentId=first, variables=variables, canarySettings={"deploymentId": first, "percentTraffic": 0})
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    operation = patch(replace("/responseTemplates/application~1json", template("canary deployment")))
    aws.update_integration_response(**where, statusCode="200", **operation)
    second = aws("create-deployment-2").create_deployment(restApiId=api)["id"]
    aws.check("response-deployment-1", fetched(aws, api, "/dev/").json)
    overrides = "/canarySettings/stageVariableOverrides/"
    aws("update-stage").update_stage(
        **stage,
        **patch(
            replace("/canarySettings/deploymentId", second), replace("/canarySettings/percentTraffic", "100"),
            replace(overrides + "testVar", "canary"), replace(overrides + "noStageVar", "canary"),
        ),
    )
    aws.check("response-canary-deployment", fetched(aws, api, "/dev/").json)
