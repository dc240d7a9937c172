import { statSync } from "node:fs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Unavailable } from "../../../src/shared/base/errors.ts";
import { fileKeyRing } from "../../../src/shared/security/file-key-ring.ts";
import { parseJobId, type JobId } from "../../../src/shared/base/ids.ts";
import { keyVaultRing } from "../../../src/shared/security/key-vault-ring.ts";
import { Sealer } from "../../../src/shared/security/sealer.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { noCredential, temporaryFolder } from "./kit.ts";

const hour = 3_600_000;
const job = id("018f0000-0000-7000-8000-000000000001");
const other = id("018f0000-0000-7000-8000-000000000002");

function id(text: string): JobId {
  const parsed = parseJobId(text);
  if (parsed === undefined) throw new Error("no id");
  return parsed;
}

/** For tests that leave it as it is: making a key takes a while. */
let shared: RunningVault;
beforeAll(async () => (shared = await startVault({ keys: ["seal"] })));
afterAll(() => shared.stop());

async function vaultWithKey(): Promise<RunningVault> {
  const vault = await startVault({ keys: ["seal"] });
  onTestFinished(() => vault.stop());
  return vault;
}

const clock = { now: 0 };
const sealerOf = (vault: RunningVault, version = ""): Sealer =>
  new Sealer(
    keyVaultRing({ keyId: `${vault.url}/keys/seal${version}`, credential: noCredential, now: () => clock.now }),
    () => clock.now,
  );
const headOf = (sealed: Uint8Array): { kid: string; wrapped: string } => {
  const [head = ""] = Buffer.from(sealed).toString("latin1").split("\n", 1);
  return JSON.parse(head) as { kid: string; wrapped: string }; // the form that seal.ts documents
};

test("what one instance seals with the vault's key another opens, and nothing of the text is in the bytes", async () => {
  const sealed = await sealerOf(shared).seal("the password is hunter2", job);
  expect(await sealerOf(shared).open(sealed, job)).toEqual({ kind: "open", text: "the password is hunter2" });
  expect(Buffer.from(sealed).toString("latin1")).not.toContain("hunter2");
});

test("the sealed bytes name the key's full id, version included", async () => {
  const vault = await vaultWithKey();
  const { version } = await vault.rotate("seal");
  expect(headOf(await sealerOf(vault).seal("text", job)).kid).toBe(`${vault.url}/keys/seal/${version}`);
});

test("sealed bytes open for their own job only", async () => {
  const sealer = sealerOf(shared);
  expect(await sealer.open(await sealer.seal("text", job), other)).toEqual({ kind: "damaged" });
});

test("each seal has a nonce of its own", async () => {
  const sealer = sealerOf(shared);
  const [one, two] = [await sealer.seal("text", job), await sealer.seal("text", job)];
  expect(Buffer.from(one).equals(Buffer.from(two))).toBe(false);
});

test("rotation needs no downtime: after it new seals use the new version and old ones still open", async () => {
  const vault = await vaultWithKey();
  const sealer = sealerOf(vault);
  const before = await sealer.seal("old", job);
  const { version } = await vault.rotate("seal");
  clock.now += 2 * hour;
  const after = await sealer.seal("new", job);
  expect(headOf(after).kid).toContain(version);
  const fresh = sealerOf(vault);
  expect(await fresh.open(before, job)).toEqual({ kind: "open", text: "old" });
  expect(await fresh.open(after, job)).toEqual({ kind: "open", text: "new" });
});

test("a version that the vault no longer knows is an unknown key; the others go on", async () => {
  const vault = await vaultWithKey();
  const before = await sealerOf(vault).seal("old", job);
  await vault.rotate("seal");
  vault.removeVersion("seal", headOf(before).kid.split("/").at(-1) ?? "");
  const fresh = sealerOf(vault);
  expect(await fresh.open(before, job)).toEqual({ kind: "unknown key" });
  expect(await fresh.open(await fresh.seal("new", job), job)).toEqual({ kind: "open", text: "new" });
});

test("a version that is disabled may come back: it is unavailable, not unknown", async () => {
  const vault = await vaultWithKey();
  const version = await vault.rotate("seal");
  const sealed = await sealerOf(vault).seal("text", job);
  version.enabled = false;
  await expect(sealerOf(vault).open(sealed, job)).rejects.toThrow(Unavailable);
  version.enabled = true;
  expect(await sealerOf(vault).open(sealed, job)).toEqual({ kind: "open", text: "text" });
});

test("an expired version still opens what it sealed", async () => {
  const vault = await vaultWithKey();
  const version = await vault.rotate("seal");
  const sealed = await sealerOf(vault).seal("text", job);
  version.expiresAt = 1;
  expect(await sealerOf(vault).open(sealed, job)).toEqual({ kind: "open", text: "text" });
});

test("a vault that refuses for now makes sealing and opening unavailable, with its own Retry-After", async () => {
  const vault = await vaultWithKey();
  const sealed = await sealerOf(vault).seal("text", job);
  vault.fail({ status: 429, code: "Throttled", retryAfter: 1 });
  const error = await sealerOf(vault)
    .open(sealed, job)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Unavailable);
  expect(error).toMatchObject({ service: "seal key", retryAfter: 1000 });
});

test("a vault that is gone makes sealing unavailable, and a running instance seals on for an hour", async () => {
  const vault = await vaultWithKey();
  const sealer = sealerOf(vault);
  await sealer.seal("text", job);
  await vault.stop();
  clock.now += 1.5 * hour;
  expect(headOf(await sealer.seal("text", job)).kid).toContain("/keys/seal/");
  clock.now += hour;
  await expect(sealer.seal("text", job)).rejects.toMatchObject({ name: "Unavailable", service: "seal key" });
});

test("many seals at once cost one call to the vault", async () => {
  const sealer = sealerOf(shared);
  const wraps = (): number => shared.calls.filter((call) => call.endsWith("/wrapkey")).length;
  const before = wraps();
  await Promise.all(Array.from({ length: 50 }, () => sealer.seal("text", job)));
  expect(wraps()).toBe(before + 1);
});

test("a key id of another vault gets neither our token nor a request", async () => {
  const theirs = await vaultWithKey();
  const sealed = await sealerOf(theirs).seal("text", job);
  const before = theirs.calls.length;
  expect(await sealerOf(shared).open(sealed, job)).toEqual({ kind: "unknown key" });
  expect(theirs.calls).toHaveLength(before);
});

test.each(["?x=1", "/../../keys/seal", "#f", "%2f.."])("a key id with %j is not ours", async (suffix) => {
  const sealed = await sealerOf(shared).seal("text", job);
  const ring = keyVaultRing({ keyId: `${shared.url}/keys/seal`, credential: noCredential, now: () => 0 });
  const { kid, wrapped } = headOf(sealed);
  expect(await ring.unwrap(kid + suffix, Buffer.from(wrapped, "base64"))).toEqual({ kind: "unknown key" });
});

test("a data key that the vault did not wrap is damaged, which fails the job and asks nobody to wait", async () => {
  const sealer = sealerOf(shared);
  const sealed = Buffer.from(await sealer.seal("text", job));
  const head = JSON.stringify({ ...headOf(sealed), wrapped: Buffer.alloc(256, 1).toString("base64") });
  const forged = Buffer.concat([Buffer.from(head), sealed.subarray(sealed.indexOf(10))]);
  expect(await sealerOf(shared).open(forged, job)).toEqual({ kind: "damaged" });
});

test.each([
  ["a changed byte", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)])],
  ["a cut end", (bytes: Buffer) => bytes.subarray(0, -3)],
  ["no tag", (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(10) + 1)],
  ["nothing", () => Buffer.alloc(0)],
])("sealed bytes with %s are damaged", async (_, change) => {
  const sealer = new Sealer(fileKeyRing(`${temporaryFolder()}/seal.key`), () => 0);
  const sealed = Buffer.from(await sealer.seal("text", job));
  expect(await sealer.open(change(sealed), job)).toEqual({ kind: "damaged" });
});

test("a shortened tag is damaged: forging four bytes must not be enough", async () => {
  const sealer = new Sealer(fileKeyRing(`${temporaryFolder()}/seal.key`), () => 0);
  const sealed = Buffer.from(await sealer.seal("text", job));
  const end = sealed.indexOf(10);
  expect(await sealer.open(sealed.subarray(0, end + 5), job)).toEqual({ kind: "damaged" });
});

test("the file of development keys is made once, readable by its owner alone", async () => {
  const path = `${temporaryFolder()}/new/seal.key`;
  const [one, two] = [new Sealer(fileKeyRing(path), () => 0), new Sealer(fileKeyRing(path), () => 0)];
  const [a, b] = await Promise.all([one.seal("a", job), two.seal("b", job)]);
  expect(await two.open(a, job)).toEqual({ kind: "open", text: "a" });
  expect(await one.open(b, job)).toEqual({ kind: "open", text: "b" });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
