import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileKeyRing } from "../../../src/shared/security/file-key-ring.ts";

test("rings that make one file at once share its key, and leave nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "key-ring-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "state", "seal.key");
  const rings = Array.from({ length: 8 }, () => fileKeyRing(path));
  const wrapped = await Promise.all(rings.map((ring) => ring.wrap(new Uint8Array(32).fill(7))));
  expect(new Set(wrapped.map(({ kid }) => kid)).size).toBe(1);
  expect(await readdir(join(folder, "state"))).toEqual(["seal.key"]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
