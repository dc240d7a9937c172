import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { startAzurite } from "../test/kit/azurite.ts";
import { median, rounded, significant, spreadOf, versusFloor, type Benchmark } from "./benchmark.ts";
import { startPart } from "./part.ts";
import { memoryOf } from "./process.ts";
import { bundleApp } from "./small-app.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const what = "an app of one function";

interface Start {
  readonly milliseconds: number;
  /** Megabytes. */
  readonly memory: number;
}

/** Process start to first reply, and how long the code takes to load, against an app of one function. */
export const start: Benchmark = {
  name: "start",
  async run({ rounds }, say) {
    const [folder, azurite] = await Promise.all([mkdtemp(join(tmpdir(), "aci-proxy-bench-")), startAzurite()]);
    try {
      const env = {
        AzureWebJobsStorage: azurite.connectionString,
        AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9", // never called
        AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
        AZURE_RESOURCE_GROUP: "bench",
        PUBLIC_URL: "http://localhost:7071",
        SEAL_KEY_FILE: join(folder, "seal.key"),
      };
      const small = await oneFunction(join(folder, "one"));
      const sides = { app: { folder: at(".."), path: "/api/health" }, floor: { folder: small, path: "/api/hello" } };
      const starts: Record<keyof typeof sides, Start[]> = { app: [], floor: [] };
      const loads: Record<keyof typeof sides, number[]> = { app: [], floor: [] };
      // The first of each is not counted: the disk's cache is the same for both after it.
      for (let round = -1; round < 2 * rounds; round++)
        for (const side of ["app", "floor"] as const) {
          const { folder: app, path } = sides[side];
          const started = await startOf(app, path, env, join(folder, "host.log"));
          const loaded = await loadTime(app, env);
          if (round < 0) continue;
          starts[side].push(started);
          loads[side].push(loaded);
        }
      const times = (side: keyof typeof sides): number[] => starts[side].map(({ milliseconds }) => milliseconds);
      const memory = (side: keyof typeof sides): number[] => starts[side].map((each) => each.memory);
      say(`loading the code: ${rounded(median(loads.app), 0)} ms, ${rounded(median(loads.floor), 0)} ms`);
      return {
        figures: [
          versusFloor(
            "process start to first reply",
            "ms",
            times("app"),
            { what, values: times("floor") },
            { atMost: 1.3 },
          ),
          versusFloor("memory after it", "MB", memory("app"), { what, values: memory("floor") }, { atMost: 1.3 }),
          {
            name: "loading the code (`require`)",
            unit: "ms",
            value: significant(median(loads.app)),
            floor: { what, value: significant(median(loads.floor)) },
            spread: spreadOf(loads.app),
          },
        ],
      };
    } finally {
      await azurite.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function startOf(appFolder: string, path: string, env: object, log: string): Promise<Start> {
  const began = performance.now();
  const host = await startPart(new URL("../dist-local/host.mjs", import.meta.url), { appFolder, port: 0, env }, log);
  try {
    const answer = await fetch(host.url + path);
    await answer.arrayBuffer();
    const milliseconds = performance.now() - began;
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return { milliseconds, memory: memoryOf(host.pid).now };
  } finally {
    await host.stop();
  }
}

/** Milliseconds of `require` in a process of its own, with nothing of a host in it. */
async function loadTime(folder: string, env: Record<string, string>): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [at("load-app.mjs"), folder], {
    env: { ...process.env, ...env },
  });
  return z.number().parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

/** The least app that there is. */
async function oneFunction(folder: string): Promise<string> {
  await bundleApp(
    folder,
    `import { app } from "@azure/functions";
    app.http("hello", { methods: ["GET"], authLevel: "anonymous", handler: () => ({ body: "hello" }) });`,
  );
  return folder;
}
