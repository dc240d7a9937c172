import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { z } from "zod";
import { figureShape, type Figure } from "./benchmark.ts";

/** Milliseconds: one that takes longer hangs, for want of a container engine that works, say. */
const usualTime = 180_000;
/** Megabytes that its objects may take. */
const heap = 8000;

/** The figures of a program of its own, which prints them as JSON. */
export async function figuresOf(program: string, timeout = usualTime): Promise<readonly Figure[]> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", path], { timeout });
  return z.array(figureShape).parse(JSON.parse(stdout));
}

/** As {@link figuresOf}, of a program that uses the app's own code, which Node can't load unbundled. */
export async function figuresOfBundled(program: string, timeout: number): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "aci-proxy-bench-"));
  try {
    const outfile = join(folder, "program.mjs");
    await build({
      entryPoints: [fileURLToPath(new URL(program, import.meta.url))],
      outfile,
      bundle: true,
      platform: "node",
      target: "node20",
      format: "esm",
      external: ["@azure/functions-core"],
      banner: {
        js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
      },
    });
    const { stdout } = await promisify(execFile)(process.execPath, [`--max-old-space-size=${heap}`, outfile], {
      timeout,
    });
    return z.array(figureShape).parse(JSON.parse(stdout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
