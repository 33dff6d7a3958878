// The AWS SDK for JavaScript, version 3: one stage of each kind, made and listed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  GetRestApiCommand,
  GetStagesCommand as GetRestStagesCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
} from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateApiCommand, GetStagesCommand as GetHttpStagesCommand } from "@aws-sdk/client-apigatewayv2";
import {
  CreateParticipantTokenCommand,
  CreateStageCommand,
  GetStageCommand,
  IVSRealTimeClient,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-ivs-realtime";

import { sdkSettings, startServer } from "./server.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

test("a REST API with a stage that answers", async () => {
  const client = new APIGatewayClient(sdkSettings(server));
  const api = await client.send(new CreateRestApiCommand({ name: "pets" }));
  assert.match(api.id, /^[a-z0-9]{10}$/);
  assert.ok(api.createdDate instanceof Date);
  const where = { restApiId: api.id, resourceId: api.rootResourceId, httpMethod: "GET" };
  await client.send(new PutMethodCommand({ ...where, authorizationType: "NONE" }));
  const requestTemplates = { "application/json": '{"statusCode": 200}' };
  await client.send(new PutIntegrationCommand({ ...where, type: "MOCK", requestTemplates }));
  await client.send(new PutMethodResponseCommand({ ...where, statusCode: "200" }));
  const responseTemplates = { "application/json": '{"from": "javascript"}' };
  await client.send(new PutIntegrationResponseCommand({ ...where, statusCode: "200", responseTemplates }));
  const deployment = await client.send(new CreateDeploymentCommand({ restApiId: api.id, stageName: "prod" }));
  const stages = await client.send(new GetRestStagesCommand({ restApiId: api.id }));
  assert.deepEqual(
    stages.item.map((stage) => [stage.stageName, stage.deploymentId]),
    [["prod", deployment.id]],
  );
  const answer = await fetch(`${server.http}/_aws/execute-api/${api.id}/prod/`);
  assert.deepEqual([answer.status, await answer.json()], [200, { from: "javascript" }]);
});

test("an HTTP API with a stage", async () => {
  const client = new ApiGatewayV2Client(sdkSettings(server));
  const api = await client.send(new CreateApiCommand({ Name: "shop", ProtocolType: "HTTP", Target: "http://backend.example/" }));
  assert.ok(api.CreatedDate instanceof Date);
  const stages = await client.send(new GetHttpStagesCommand({ ApiId: api.ApiId }));
  assert.deepEqual(
    stages.Items.map((stage) => [stage.StageName, stage.AutoDeploy, stage.ApiGatewayManaged]),
    [["$default", true, true]],
  );
});

test("a real-time stage, its token and its tags", async () => {
  const client = new IVSRealTimeClient(sdkSettings(server));
  const { stage } = await client.send(new CreateStageCommand({ name: "meeting", tags: { a: "1" } }));
  assert.deepEqual((await client.send(new GetStageCommand({ arn: stage.arn }))).stage, stage);
  const { participantToken } = await client.send(new CreateParticipantTokenCommand({ stageArn: stage.arn, userId: "ada" }));
  assert.ok(participantToken.expirationTime > new Date());
  assert.equal(participantToken.token.split(".").length, 3);
  await client.send(new TagResourceCommand({ resourceArn: stage.arn, tags: { "b c": "2/3" } }));
  await client.send(new UntagResourceCommand({ resourceArn: stage.arn, tagKeys: ["a"] }));
  const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: stage.arn }));
  assert.deepEqual(tags, { "b c": "2/3" });
});

test("errors arrive as the SDK's own classes", async () => {
  const ivs = new IVSRealTimeClient(sdkSettings(server));
  const arn = "arn:aws:ivs:us-east-1:000000000000:stage/nosuchstage1";
  await assert.rejects(ivs.send(new GetStageCommand({ arn })), { name: "ResourceNotFoundException" });
  const v1 = new APIGatewayClient(sdkSettings(server));
  await assert.rejects(v1.send(new GetRestApiCommand({ restApiId: "nosuchapi0" })), {
    name: "NotFoundException",
    message: "Invalid API identifier specified 000000000000:nosuchapi0",
  });
});
