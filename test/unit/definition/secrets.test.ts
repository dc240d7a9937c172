import { describe, expect, test } from "vitest";
import {
  maskSecrets,
  resolveVaultReferences,
  secretValues,
  shownBody,
  viewOf,
} from "../../../src/shared/definition/index.ts";
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

test("maskSecrets masks what the service never gives back, and nothing else", () => {
  const before = JSON.stringify(body);
  const json = JSON.stringify(maskSecrets(body));
  expect(json).not.toMatch(/registry-secret|share-secret|secure-secret|key-secret|protected-secret/);
  expect(json).toMatch(/named-secret.*unknown-secret/);
  expect(json.match(/open/g)).toHaveLength(before.match(/open/g)?.length ?? 0);
  expect(JSON.stringify(body)).toBe(before);
});

test("shownBody leaves nothing of what is or may be a secret, wherever else it stands, and all that is open", () => {
  const shown = JSON.stringify(shownBody({ ...body, "x-share-secret": ["secure-secret", { "a key-secret b": 4711 }] }));
  expect(shown.replaceAll(/"(?:secret|imageRegistryCredentials)"/g, "")).not.toMatch(/-secret|4711/);
  expect(shown).not.toContain(encoded);
  expect(shown.match(/"open"/g)).toHaveLength(JSON.stringify(body).match(/"open"/g)?.length ?? 0);
  expect(shown).toContain('"postgres://***@db.invalid/x"');
});

test("secretValues gives every secret text, files decoded too, of a body whose references to a vault are resolved", () => {
  const resolved = resolveVaultReferences(body, viewOf(body).vaultReferences, () => "");
  expect(secretValues(resolved).toSorted()).toEqual(
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
});

describe("references to a vault", () => {
  test("are listed with their places, and whether those are the service's own secrets", () => {
    const open = definitionOf(group({ containers: [container({ image: "${keyvault:job-i}" })] })).view.vaultReferences;
    expect(open).toMatchObject([
      { name: "job-i", version: undefined, path: "properties.containers[0].properties.image", secretPlace: false },
    ]);
    expect(viewOf(body).vaultReferences).toMatchObject([
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
    const resolved = resolveVaultReferences(
      body,
      viewOf(body).vaultReferences,
      ({ name, version }) => `value of ${name} ${version ?? ""}`,
    );
    expect(JSON.stringify(resolved)).toContain('"SecureValue":"value of job-v 7"');
    expect(JSON.stringify(body)).toContain("${keyvault:job-v/7}");
  });
});
