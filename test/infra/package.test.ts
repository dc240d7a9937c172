import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startHost } from "../../local/host/host.ts";
import { startAzurite } from "../kit/azurite.ts";

vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Packs what `npm test` built. */
async function pack(from: string, out: string, env: NodeJS.ProcessEnv = {}): Promise<{ zip: Buffer; said: string }> {
  const words = [join(root, "scripts/package.mjs"), "--from", from, "--out", out];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root, env: { ...process.env, ...env } });
  return { zip: await readFile(join(out, "aci-proxy.zip")), said: stdout };
}

describe("The package", () => {
  test("has the same bytes wherever and whenever it is packed, and prints its size and cold start", async () => {
    const first = await pack(root, join(folder, "first"));
    const copy = join(folder, "copy");
    for (const part of ["dist", "host.json", "package.json"])
      await cp(join(root, part), join(copy, part), { recursive: true });
    await utimes(join(copy, "dist/index.cjs"), new Date("2001-02-03"), new Date("2001-02-03"));
    const second = await pack(copy, join(folder, "second"), { TZ: "Asia/Tokyo" });
    expect(second.zip.equals(first.zip)).toBe(true);
    expect(first.said).toMatch(
      /aci-proxy\.zip: \d+ KiB, unpacked \d+ KiB, \d+ files\nsha256 [0-9a-f]{64}\ncold start: the code loads in \d+ ms/,
    );
  });

  test("holds production files only, under 2 MiB", async () => {
    const { zip } = await pack(root, folder);
    const files = unzipSync(zip);
    const names = Object.keys(files);
    expect(names).toEqual(expect.arrayContaining(["dist/index.cjs", "host.json", "package.json"]));
    expect(
      names.filter(
        (name) => !/^(dist\/(index\.cjs|parts\/[\w-]+\.cjs|dashboard\/[\w.]+)|host\.json|package\.json)$/.test(name),
      ),
    ).toEqual([]);
    expect(zip.length).toBeLessThan(2 * 1024 * 1024);
    const manifest: unknown = JSON.parse(Buffer.from(files["package.json"] ?? []).toString());
    expect(manifest).toEqual({
      name: "aci-proxy",
      version: expect.any(String) as unknown,
      license: "MIT",
      private: true,
      main: "dist/index.cjs",
    });
  });

  test("unpacked in an empty folder, serves", async () => {
    const { zip } = await pack(root, join(folder, "out"));
    const app = join(folder, "app");
    for (const [name, bytes] of Object.entries(unzipSync(zip))) {
      await mkdir(dirname(join(app, name)), { recursive: true });
      await writeFile(join(app, name), bytes);
    }
    const azurite = await startAzurite();
    const env = {
      AzureWebJobsStorage: azurite.connectionString,
      AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9",
      AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
      AZURE_RESOURCE_GROUP: "none",
      PUBLIC_URL: "http://localhost",
      SEAL_KEY_FILE: join(folder, "seal.key"),
      AZURE_FUNCTIONS_ENVIRONMENT: "Development",
    };
    // The app reads its settings from the process that it runs in, which here is this one.
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const host = await startHost({ appFolder: app, port: 0, env, logFile: join(folder, "host.log"), drainSeconds: 0 });
    try {
      expect(host.functions.filter(({ state }) => state !== "ready")).toEqual([]);
      await expect.poll(async () => (await fetch(`${host.url}/api/health`)).status, { timeout: 30_000 }).toBe(200);
    } finally {
      vi.unstubAllEnvs();
      await host.stop();
      await azurite.stop();
    }
  });
});
