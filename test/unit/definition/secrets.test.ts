import { describe, expect, test } from "vitest";
import {
  maskSecrets,
  redactBody,
  resolveVaultReferences,
  secretPaths,
  secretValues,
  viewOf,
} from "../../../src/shared/definition/index.ts";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { container, definitionOf, group } from "./kit.ts";

const encoded = Buffer.from("file-secret").toString("base64");

const text = group({
  initContainers: [
    container({ resources: null, environmentVariables: [{ name: "I", secureValue: "init-secret" }] }, "first"),
  ],
  containers: [
    container({
      environmentVariables: [
        { name: "A", value: "open" },
        { name: "B", secureValue: "secure-secret" },
        { name: "DB_PASSWORD", value: "named-secret" },
        { name: "URL", value: "postgres://user:url-secret@db.invalid/x" },
        { name: "V", SecureValue: "${keyvault:job-v/7}" },
      ],
      livenessProbe: {
        httpGet: {
          port: 80,
          httpHeaders: [
            { name: "Authorization", value: "header-secret" },
            { name: "Accept", value: "open" },
          ],
        },
      },
    }),
  ],
  imageRegistryCredentials: [
    { server: "a.io", username: "open", PASSWORD: "registry-secret" },
    { server: "b.io", username: "open", password: ["list-secret"] },
  ],
  volumes: [
    { name: "share", azureFile: { shareName: "open", storageAccountName: "open", storageAccountKey: "share-secret" } },
    { name: "files", secret: { "a.txt": encoded, "b.txt": "${keyvault:job-f}" } },
  ],
  diagnostics: { logAnalytics: { workspaceId: "open", workspaceKey: "key-secret" } },
  extensions: [
    {
      name: "e",
      properties: {
        extensionType: "t",
        version: "1",
        settings: { a: "open" },
        protectedSettings: { deep: { er: ["protected-secret", 4711] } },
      },
    },
  ],
  laterThing: { apiToken: "unknown-secret", text: "unknown" },
});
const { body } = definitionOf(text);

describe("redactBody", () => {
  const redacted = redactBody(body);

  test("masks every secret by its place, and leaves the rest", () => {
    const json = JSON.stringify(redacted);
    expect(json).not.toMatch(/-secret"|secret@|4711|file-/);
    expect(json).not.toContain(encoded);
    expect(json.match(/open/g)).toHaveLength(JSON.stringify(body).match(/open/g)?.length ?? 0);
    expect(redacted["properties"]).toMatchObject({
      osType: "Linux",
      containers: [
        {
          name: "main",
          properties: {
            image: "demo.azurecr.io/tool:1",
            environmentVariables: [
              { name: "A", value: "open" },
              { name: "B", secureValue: "***" },
              { name: "DB_PASSWORD", value: "***" },
              { name: "URL", value: "postgres://***@db.invalid/x" },
              { SecureValue: "***" },
            ],
          },
        },
      ],
      imageRegistryCredentials: [{ PASSWORD: "***" }, { password: ["***"] }],
      volumes: [{ azureFile: { storageAccountKey: "***" } }, { secret: { "a.txt": "***", "b.txt": "***" } }],
      extensions: [{ properties: { settings: { a: "open" }, protectedSettings: { deep: { er: ["***", "***"] } } } }],
      laterThing: { apiToken: "***", text: "***" },
    });
  });

  test("changes nothing of the body itself, and keeps odd names", () => {
    const odd: JsonObject = JSON.parse('{"properties":{"__proto__":{"a":"b"},"osType":"Linux"}}') as JsonObject; // JSON by construction
    const before = JSON.stringify(odd);
    expect(JSON.stringify(redactBody(odd))).toBe('{"properties":{"__proto__":{"a":"***"},"osType":"Linux"}}');
    expect(JSON.stringify(odd)).toBe(before);
  });
});

test("maskSecrets masks what the service never gives back, and nothing else", () => {
  const json = JSON.stringify(maskSecrets(body));
  expect(json).not.toMatch(/registry-secret|share-secret|secure-secret|key-secret|protected-secret/);
  expect(json).toMatch(/named-secret.*unknown-secret/);
});

test("secretPaths names the places", () => {
  expect(secretPaths(body)).toEqual([
    "properties.containers[0].properties.environmentVariables[1].secureValue",
    "properties.containers[0].properties.environmentVariables[4].SecureValue",
    "properties.initContainers[0].properties.environmentVariables[0].secureValue",
    "properties.imageRegistryCredentials[0].PASSWORD",
    "properties.imageRegistryCredentials[1].password[0]",
    "properties.volumes[0].azureFile.storageAccountKey",
    "properties.volumes[1].secret.a.txt",
    "properties.volumes[1].secret.b.txt",
    "properties.diagnostics.logAnalytics.workspaceKey",
    "properties.extensions[0].properties.protectedSettings.deep.er[0]",
    "properties.extensions[0].properties.protectedSettings.deep.er[1]",
  ]);
});

test("secretValues gives every secret text, files decoded too, references to a vault left out", () => {
  expect(secretValues(body).toSorted()).toEqual(
    [
      "init-secret",
      "secure-secret",
      "user:url-secret",
      "url-secret",
      "registry-secret",
      "list-secret",
      "share-secret",
      encoded,
      "file-secret",
      "key-secret",
      "protected-secret",
      "4711",
      "unknown-secret",
      "named-secret",
      "header-secret",
    ].toSorted(),
  );
});

describe("what looks like a secret", () => {
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
  const { body: looks } = definitionOf(
    group({
      containers: [
        container({
          command: [
            "run",
            "--password",
            "flag-secret",
            "--db-password=long secret;x",
            "-v",
            "open",
            `--h=Bearer ${jwt}`,
          ],
          environmentVariables: [
            { name: "STORAGE", value: "AccountName=open;AccountKey=conn-secret==;X=1" },
            { name: "AUTH_REQUIRED", value: "true" },
            { name: "CONFIG", value: '{"apiKey": "json-secret"}' },
          ],
          livenessProbe: {
            exec: { command: ["curl", "--token", "probe-secret", "http://localhost/?access_token=url-secret&x=1"] },
          },
          configMap: { keyValuePairs: { DB_PASSWORD: "map-secret", MODE: "open" } },
        }),
      ],
    }),
  );
  const secrets = [
    "flag-secret",
    "long secret;x",
    "long",
    jwt,
    "conn-secret==",
    "json-secret",
    "probe-secret",
    "url-secret",
    "map-secret",
  ];

  test("is masked wherever the service writes of it", () => {
    expect(secretValues(looks).toSorted()).toEqual(secrets.toSorted());
  });

  test("is masked where the definition is shown, and the rest is not", () => {
    const shown = JSON.stringify(redactBody(looks));
    for (const secret of secrets) expect(shown).not.toContain(JSON.stringify(secret).slice(1, -1));
    expect(shown.match(/open/g)).toHaveLength(3);
    expect(shown).toContain('"***","--db-password=***","-v","open"');
    expect(shown).toContain("http://localhost/?access_token=***&x=1");
  });
});

describe("references to a vault", () => {
  test("are listed with their places, and whether those are the service's own secrets", () => {
    const open = definitionOf(group({ containers: [container({ image: "${keyvault:job-i}" })] })).view.vaultReferences;
    expect(open).toEqual([
      { name: "job-i", version: undefined, path: "properties.containers[0].properties.image", secretPlace: false },
    ]);
    expect(viewOf(body).vaultReferences).toEqual([
      {
        name: "job-v",
        version: "7",
        path: "properties.containers[0].properties.environmentVariables[4].SecureValue",
        secretPlace: true,
      },
      { name: "job-f", version: undefined, path: "properties.volumes[1].secret.b.txt", secretPlace: true },
    ]);
  });

  test("are resolved in a copy", () => {
    const resolved = resolveVaultReferences(body, ({ name, version }) => `value of ${name} ${version ?? ""}`);
    expect(JSON.stringify(resolved)).toContain('"SecureValue":"value of job-v 7"');
    expect(JSON.stringify(body)).toContain("${keyvault:job-v/7}");
  });
});
