import { expect, test } from "vitest";
import { viewOf, type Definition } from "../../../src/shared/definition/index.ts";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { withPullIdentity } from "../../../src/shared/aci/pull-identity.ts";

const identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull";
const pull = { registry: "contoso.azurecr.io", identity };

const definition = (body: JsonObject, apiVersion = "2023-05-01"): Definition => ({
  name: "n",
  apiVersion,
  body,
  view: viewOf(body),
});
const body = (more: JsonObject = {}, image = "Contoso.azurecr.io/app:1", properties: JsonObject = {}): JsonObject => ({
  ...more,
  properties: { containers: [{ name: "a", properties: { image } }], ...properties },
});

test("an image of the registry, without credentials, gets the identity at both places where Azure wants it", () => {
  expect(withPullIdentity(definition(body()), pull)).toEqual({
    identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
    properties: {
      containers: [{ name: "a", properties: { image: "Contoso.azurecr.io/app:1" } }],
      imageRegistryCredentials: [{ server: "contoso.azurecr.io", identity }],
    },
  });
});

test("an init container's image counts too", () => {
  const given = body({}, "other.io/app", {
    initContainers: [{ name: "b", properties: { image: "contoso.azurecr.io/b" } }],
  });
  expect(withPullIdentity(definition(given), pull)).toMatchObject({ identity: { type: "UserAssigned" } });
});

test.each<[string, JsonObject, string | undefined]>([
  ["another registry's image", body({}, "fabrikam.azurecr.io/app"), undefined],
  ["a registry whose name only begins alike", body({}, "contoso.azurecr.io.evil.example/app"), undefined],
  [
    "an image that brings its credentials",
    body({}, undefined, { imageRegistryCredentials: [{ server: "CONTOSO.azurecr.io", username: "u", password: "p" }] }),
    undefined,
  ],
  ["a version that knows no identity here", body(), "2021-03-01"],
])("%s is left as it was written", (_, given, version) => {
  expect(withPullIdentity(definition(given, version), pull)).toBe(given);
});

test("the identities that the definition has already stay, whatever letter case it writes", () => {
  const given = body({ Identity: { TYPE: "SystemAssigned", userassignedidentities: { "/other": {} } } });
  expect(withPullIdentity(definition(given), pull)).toMatchObject({
    Identity: { TYPE: "SystemAssigned, UserAssigned", userassignedidentities: { "/other": {}, [identity]: {} } },
  });
});

test("credentials for other registries stay", () => {
  const other = { server: "other.io", username: "u", password: "p" };
  const composed = withPullIdentity(definition(body({}, undefined, { imageRegistryCredentials: [other] })), pull);
  expect(composed).toMatchObject({ properties: { imageRegistryCredentials: [other, { identity }] } });
});
