import { readFileSync } from "node:fs";

/** Linux counts in ticks of a hundredth of a second (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

/** Seconds of a processor that a process has used in all its threads, as its own `process.cpuUsage()` has it. Linux alone. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Megabytes of memory that a process holds: now, and at most so far. Linux alone. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}

/**
 * Megabytes that a process still held after V8's last full collection, in the thread that holds the most; by the log of a process with the
 * flag `--trace-gc`.
 */
export function heapIn(log: string): number {
  const last = new Map<string, number>();
  for (const [, isolate = "", left] of log.matchAll(/^\[\d+:(0x[0-9a-f]+)\].*Mark-Compact.*-> ([\d.]+) \(/gm))
    last.set(isolate, Number(left));
  return Math.max(...last.values());
}
