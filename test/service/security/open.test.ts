import { BlobServiceClient } from "@azure/storage-blob";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Blobs } from "../../../src/shared/store/blobs.ts";
import { viewOf } from "../../../src/shared/definition/index.ts";
import { fileKeyRing } from "../../../src/shared/security/file-key-ring.ts";
import type { Stored } from "../../../src/shared/store/jobs.ts";
import { SealedArrays } from "../../../src/shared/security/sealed-arrays.ts";
import { Sealer } from "../../../src/shared/security/sealer.ts";
import { sealedText } from "../../../src/shared/security/sealed-definition.ts";
import { Vault } from "../../../src/shared/security/secret-vault.ts";
import { openForCreate, type Opened } from "../../../src/workers/reconcile/open-for-create.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { job, live, pacing, settings, start } from "../../kit/kit.ts";
import { noCredential, temporaryFolder } from "./kit.ts";

let server: RunningVault;
beforeAll(async () => (server = await startVault({ secrets: { "job-a": "resolved", other: "not for jobs" } })));
afterAll(() => server.stop());

// The definition lies in the row: no blob is ever asked for. What is tried here ends before ACI is needed.
const blobs = new Blobs(BlobServiceClient.fromConnectionString("UseDevelopmentStorage=true"), settings(), pacing);
const links = { current: () => Promise.reject(new Error("The key for links was asked for")) };
const aci = () => Promise.reject(new Error("ACI was reached"));

interface World {
  readonly keyFile: string;
  readonly stored: Stored;
  open(environment?: Record<string, string>): Promise<Opened>;
}

const arrays = new SealedArrays({ findArray: () => Promise.resolve(undefined) }, blobs, () => 0);
const common = { blobs, aci, links, arrays, now: () => start };

async function sealedWith(secureValue: string): Promise<World> {
  const body = {
    properties: {
      containers: [{ name: "a", properties: { environmentVariables: [{ name: "A", secureValue }] } }],
    },
  };
  const keyFile = `${temporaryFolder()}/seal.key`;
  const text = sealedText({ name: "n", apiVersion: "2023-05-01", body, view: viewOf(body) }, undefined, job().id);
  const definition = await new Sealer(fileKeyRing(keyFile), () => 0).seal(text, job().id);
  const stored: Stored = {
    job: live({ state: "Running", startedAt: start }),
    sealed: { definition, callbacks: undefined },
    kept: {},
    key: { partitionKey: "", rowKey: "" },
    etag: "",
  };
  return {
    keyFile,
    stored,
    open: (environment = { VAULT_URL: server.url }) => {
      const by = settings(environment);
      const vault = by.vaultUrl === undefined ? undefined : new Vault(by.vaultUrl, noCredential, () => 0);
      const sealer = new Sealer(fileKeyRing(keyFile), () => 0);
      return openForCreate({ ...common, settings: by, sealer, vault }, stored, stored.job);
    },
  };
}

test("with its secrets resolved a definition is ready for ACI", async () => {
  const world = await sealedWith("${keyvault:job-a}");
  await expect(world.open()).rejects.toThrow("ACI was reached");
});

test("a sealing key that is gone fails the job with a reason", async () => {
  const world = await sealedWith("x");
  writeFileSync(world.keyFile, `another ${Buffer.alloc(32, 1).toString("base64")}\n`);
  expect(await world.open()).toMatchObject({ kind: "fail", reason: "SealKeyUnknown" });
});

test("a sealing key that can't be reached makes the job wait", async () => {
  const world = await sealedWith("x");
  writeFileSync(world.keyFile, "no key\n");
  expect(await world.open()).toMatchObject({ kind: "wait", reason: "SealKeyUnavailable" });
});

test("a definition that was removed, or damaged, fails the job with a reason", async () => {
  const world = await sealedWith("x");
  const { stored } = world;
  const sealer = new Sealer(fileKeyRing(world.keyFile), () => 0);
  for (const definition of [undefined, Uint8Array.of(1, 2, 3)]) {
    const opened = openForCreate(
      { ...common, settings: settings(), sealer, vault: undefined },
      { ...stored, sealed: { ...stored.sealed, definition } },
      stored.job,
    );
    expect(await opened).toMatchObject({ kind: "fail", reason: "DefinitionGone" });
  }
});

test("a definition that only a newer release can read makes the job wait for that release", async () => {
  const world = await sealedWith("x");
  const { stored } = world;
  const sealer = new Sealer(fileKeyRing(world.keyFile), () => 0);
  const sealedByNewer = Buffer.from(JSON.stringify({ v: 2, secret: "of another kind" }) + "\n...");
  const ofNewKind = await sealer.seal(JSON.stringify({ name: "n", apiVersion: "2023-05-01", steps: [] }), job().id);
  for (const definition of [sealedByNewer, ofNewKind]) {
    const opened = openForCreate(
      { ...common, settings: settings(), sealer, vault: undefined },
      { ...stored, sealed: { ...stored.sealed, definition } },
      stored.job,
    );
    expect(await opened).toMatchObject({ kind: "wait", reason: "SealKeyUnavailable" });
  }
});

test("a secret that is not there fails the job, and the reason names the place and no secret", async () => {
  const world = await sealedWith("${keyvault:job-none}");
  expect(await world.open()).toEqual({
    kind: "fail",
    reason: "VaultRefused",
    detail: "properties.containers[0].properties.environmentVariables[0].secureValue: there is no such secret.",
  });
});

test("a vault that is away makes the job wait", async () => {
  const world = await sealedWith("${keyvault:job-a}");
  server.fail({ status: 503, code: "Unavailable", retryAfter: 1 });
  expect(await world.open()).toMatchObject({ kind: "wait", reason: "VaultUnavailable" });
  server.fail();
});

test.each<[string, Record<string, string>]>([
  ["the vault was taken away", {}],
  ["its prefix was changed", { VAULT_SECRET_PREFIX: "etl-" }],
])("a reference that was good when the job was accepted is judged again: %s", async (_, environment) => {
  const world = await sealedWith("${keyvault:job-a}");
  const by = Object.keys(environment).length === 0 ? {} : { VAULT_URL: server.url, ...environment };
  expect(await world.open(by)).toMatchObject({ kind: "fail", reason: "VaultRefused" });
});
