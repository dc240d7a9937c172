import { expect, test } from "vitest";
import { settings } from "../../kit/kit.ts";
import { refusalOf } from "./kit.ts";

const withVault = settings({ VAULT_URL: "https://jobs.vault.azure.net" });

function told(text: string, by = withVault): readonly string[] | "accepted" {
  const refusal = refusalOf(text, by);
  return refusal?.errors?.map(({ path, line }) => `${refusal.code} ${path}:${line}`) ?? "accepted";
}

const group = (reference: string): string => `name: nightly
properties:
  osType: Linux
  restartPolicy: Never
  imageRegistryCredentials: [{ server: a.io, username: u, password: "${reference}" }]
  containers:
    - name: app
      properties:
        image: a.io/app
        environmentVariables: [{ name: A, secureValue: "before ${reference} after" }]
        resources: { requests: { cpu: 1, memoryInGB: 1 } }
  volumes:
    - { name: share, azureFile: { shareName: s, storageAccountName: a, storageAccountKey: "${reference}" } }
    - { name: files, secret: { file: "${reference}" } }
  diagnostics: { logAnalytics: { workspaceId: w, workspaceKey: "${reference}" } }
`;

test("a reference is good wherever Azure keeps the value secret", () => {
  expect(told(group("${keyvault:job-registry}"))).toBe("accepted");
  expect(told(group("${keyvault:job-registry/0123456789abcdef}"))).toBe("accepted");
});

test("without a vault every reference is reported, with its position", () => {
  expect(told(group("${keyvault:job-registry}"), settings())).toEqual([
    "InvalidDefinition properties.imageRegistryCredentials[0].password:5",
    "InvalidDefinition properties.containers[0].properties.environmentVariables[0].secureValue:10",
    "InvalidDefinition properties.volumes[0].azureFile.storageAccountKey:13",
    "InvalidDefinition properties.volumes[1].secret.file:14",
    "InvalidDefinition properties.diagnostics.logAnalytics.workspaceKey:15",
  ]);
});

test.each(["registry", "ajob-registry"])("a name without the prefix is refused: %s", (name) => {
  expect(told(group(`\${keyvault:${name}}`))).toHaveLength(5);
});

test("a vault that holds nothing else may go without a prefix", () => {
  const by = settings({ VAULT_URL: "https://jobs.vault.azure.net", VAULT_SECRET_PREFIX: "*" });
  expect(told(group("${keyvault:registry}"), by)).toBe("accepted");
});

test.each([
  ["a variable that anybody can read", "environmentVariables: [{ name: A, value: '${keyvault:job-a}' }]"],
  ["a command", "command: [sh, '-c', 'echo ${keyvault:job-a}']"],
])("a reference in %s is refused: the secret could be read in Azure", (_, property) => {
  const text = `name: n\nproperties:\n  osType: Linux\n  restartPolicy: Never\n  containers:\n    - name: a\n      properties:\n        image: a.io/b\n        ${property}\n        resources: { requests: { cpu: 1, memoryInGB: 1 } }\n`;
  expect(told(text)).toEqual([expect.stringMatching(/^InvalidDefinition properties\.containers\[0\]\..*:9$/)]);
});

test("more references than a vault should be asked for at once are refused", () => {
  const variables = Array.from({ length: 120 }, (_, n) => `{ name: V${n}, secureValue: "\${keyvault:job-${n}}" }`);
  const text = `name: n\nproperties:\n  osType: Linux\n  restartPolicy: Never\n  containers:\n    - name: a\n      properties:\n        image: a.io/b\n        environmentVariables: [${variables.join(", ")}]\n        resources: { requests: { cpu: 1, memoryInGB: 1 } }\n`;
  expect(told(text)).toHaveLength(20);
});
