import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Vault } from "../../../src/shared/security/secret-vault.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { noCredential } from "./kit.ts";

const minute = 60_000;
let server: RunningVault;
const clock = { now: 0 };
beforeAll(async () => (server = await startVault({ secrets: { "job-registry": "first" } })));
afterEach(() => server.fail());
afterAll(() => server.stop());

const vault = (): Vault => new Vault(server.url, noCredential, () => clock.now);
const newest = { name: "job-registry", version: undefined };

test("a secret is read by its name, or by its name and version", async () => {
  const version = server.setSecret("job-two", "old");
  server.setSecret("job-two", "new");
  expect(await vault().secret({ name: "job-two", version: undefined })).toEqual({ kind: "value", value: "new" });
  expect(await vault().secret({ name: "job-two", version })).toEqual({ kind: "value", value: "old" });
});

test("what was read is remembered for minutes, and not for longer", async () => {
  const reader = vault();
  const before = server.calls.length;
  await Promise.all(Array.from({ length: 20 }, () => reader.secret(newest)));
  expect(server.calls).toHaveLength(before + 1);
  clock.now += 5 * minute;
  await reader.secret(newest);
  expect(server.calls).toHaveLength(before + 2);
});

test.each([
  ["is not there", 404],
  ["may not be read", 403],
] as const)("a secret that %s is refused for good", async (_, status) => {
  server.fail({ status, code: "SecretNotFound" });
  expect(await vault().secret(newest)).toMatchObject({ kind: "refused" });
});

test.each([429, 500, 503])("a vault that answers %s is unavailable, and asked again the next time", async (status) => {
  const reader = vault();
  server.fail({ status, code: "Throttled", retryAfter: 1 });
  await expect(reader.secret(newest)).rejects.toMatchObject({ name: "Unavailable", service: "vault" });
  server.fail();
  expect(await reader.secret(newest)).toMatchObject({ kind: "value" });
});

test("no error holds a value or a token", async () => {
  server.fail({ status: 500, code: "X" });
  const error = await vault()
    .secret(newest)
    .catch((caught: unknown) => caught);
  expect(JSON.stringify(error)).not.toMatch(/first|Bearer/);
});
