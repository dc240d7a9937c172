import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { figureShape, type Figure } from "./benchmark.ts";

/** Milliseconds: one that takes longer hangs, for want of a container engine that works, say. */
const maxTime = 180_000;

/** The figures of a program of its own, which prints them as JSON. */
export async function figuresOf(program: string): Promise<readonly Figure[]> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", path], { timeout: maxTime });
  return z.array(figureShape).parse(JSON.parse(stdout));
}
