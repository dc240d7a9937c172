import { TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fileKeyRing } from "../../../src/shared/security/file-key-ring.ts";
import { LinkKeys } from "../../../src/shared/security/link-keys.ts";
import type { KeyRing } from "../../../src/shared/security/sealer.ts";
import { startAzurite, type Azurite } from "../../kit/azurite.ts";
import { pacing } from "../../kit/kit.ts";
import { temporaryFolder } from "./kit.ts";

const minute = 60_000;
let azurite: Azurite;
let table: TableClient;
let tables = 0;
const clock = { now: 0 };

beforeAll(async () => (azurite = await startAzurite()));
afterAll(() => azurite.stop());
beforeEach(async () => {
  clock.now = 0;
  const options = { allowInsecureConnection: true };
  table = TableClient.fromConnectionString(azurite.connectionString, `control${++tables}`, options);
  await table.createTable();
});

const ring = (): KeyRing => fileKeyRing(`${temporaryFolder()}/seal.key`);
const keysOf = (by: KeyRing): LinkKeys => new LinkKeys(table, by, { ...pacing, now: () => clock.now });

test("all instances sign with one key, though they start at once", async () => {
  const by = ring();
  const keys = await Promise.all(Array.from({ length: 8 }, () => keysOf(by).current()));
  expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
  const [key] = keys;
  expect(await keysOf(by).find(key?.id ?? "")).toEqual(key);
});

test("in the table the key lies wrapped", async () => {
  const { key } = await keysOf(ring()).current();
  const row = JSON.stringify(await table.getEntity("control", "link-key"), (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
  expect(row).not.toContain(Buffer.from(key).toString("base64"));
});

test("a key that was revoked is noticed within minutes, and another takes its place", async () => {
  const keys = keysOf(ring());
  const old = await keys.current();
  await table.deleteEntity("control", "link-key");
  clock.now += 5 * minute;
  expect(await keys.find(old.id)).toBeUndefined();
  const next = await keys.current();
  expect(next.id).not.toBe(old.id);
  expect(await keys.find(old.id)).toBeUndefined();
  expect(await keys.find(next.id)).toEqual(next);
});

test("a sealing key that is gone takes the links with it, and does not stop new ones", async () => {
  const old = await keysOf(ring()).current();
  const after = keysOf(ring());
  expect(await after.find(old.id)).toBeUndefined();
  const next = await after.current();
  expect(next.id).not.toBe(old.id);
});

test("tokens of unknown keys cost one read in half a minute, however many come", async () => {
  let reads = 0;
  table.pipeline.addPolicy({
    name: "count",
    sendRequest(request, next) {
      reads++;
      return next(request);
    },
  });
  const keys = keysOf(ring());
  for (let n = 0; n < 100; n++) expect(await keys.find("ffffffff")).toBeUndefined();
  expect(reads).toBe(1);
  clock.now += minute / 2;
  for (let n = 0; n < 100; n++) await keys.find("ffffffff");
  expect(reads).toBe(2);
});

test("a row that somebody edited is no key", async () => {
  const keys = keysOf(ring());
  await keys.current();
  await table.updateEntity({ partitionKey: "control", rowKey: "link-key", wrapped: "x", id: 7 }, "Replace");
  clock.now += 10 * minute;
  expect(await keys.find("0a1b2c3d")).toBeUndefined();
});
