import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Benchmark } from "./benchmark.ts";

/** Milliseconds: one that takes longer hangs, for want of a container engine that works, say. */
const maxTime = 180_000;

/**
 * A benchmark that is a program of its own, with its result as JSON on stdout.
 *
 * @param needs a command without which there is nothing to measure
 */
export function script(name: string, needs?: string): Benchmark {
  return {
    name,
    async run(_plan, say) {
      if (needs !== undefined && spawnSync(needs, ["--version"]).status !== 0) {
        say(`skipped: there is no ${needs}`);
        return { skipped: `there is no ${needs}` };
      }
      const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program], {
        timeout: maxTime,
      });
      for (const line of stdout.trim().split("\n")) say(line);
      const result: unknown = JSON.parse(stdout);
      return { result };
    },
  };
}
