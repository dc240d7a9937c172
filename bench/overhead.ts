import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { untilEnded } from "../client/follow.ts";
import { Service } from "../client/service.ts";
import { freePorts } from "../local/stack/ports.ts";
import { demoSettings } from "../local/stack/settings.ts";
import { builtPrograms, startStack } from "../local/stack/stack.ts";
import { median, rounded, spreadOf, type Benchmark } from "./benchmark.ts";

/** The demo's containers wait this long; all else between accept and end is ours, starting their processes included. */
const ownSeconds = 3;
const succeeded = z.looseObject({ state: z.literal("Succeeded"), createdAt: z.string(), finishedAt: z.string() });

/**
 * The demo's job through the whole local stack, again and again: what the service adds to the container's own time, by the row
 * (accepted to ended) and as the caller sees it (POST to the last answer).
 */
export const overhead: Benchmark = {
  name: "overhead",
  async run({ rounds }, say) {
    const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
    const [folder, [port = 0], definition] = await Promise.all([
      mkdtemp(join(tmpdir(), "aci-proxy-bench-")),
      freePorts(1),
      readFile(at("../examples/bellaciao.yaml"), "utf8"),
    ]);
    const settings = demoSettings(port, folder, process.env, false);
    if ("faults" in settings) throw new Error(settings.faults.join(" "));
    const stack = await startStack(
      settings,
      builtPrograms(new URL("../dist-local/", import.meta.url)),
      new AbortController().signal,
    );
    try {
      const service = new Service({ url: stack.url, key: settings.key });
      const runs: { readonly row: number; readonly caller: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        const began = performance.now();
        const { path } = await service.submit(definition, { polling: "true", uniqueName: "true" }, undefined);
        const { createdAt, finishedAt } = succeeded.parse(await untilEnded(service, path));
        const caller = (performance.now() - began) / 1000 - ownSeconds;
        const row = (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000 - ownSeconds;
        runs.push({ row: rounded(row), caller: rounded(caller) });
        say(`run ${round + 1}: ${rounded(row)} s by the row, ${rounded(caller)} s as the caller sees it`);
      }
      const [rows, callers] = [runs.map((run) => run.row), runs.map((run) => run.caller)];
      const goal = { of: "value", atMost: 3 } as const;
      return {
        figures: [
          { name: "accept to end, by the row", unit: "s", value: rounded(median(rows)), spread: spreadOf(rows), goal },
          {
            name: "POST to the last answer, as the caller sees it",
            unit: "s",
            value: rounded(median(callers)),
            spread: spreadOf(callers),
          },
        ],
      };
    } finally {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
