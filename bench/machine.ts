import { cpus, loadavg, release, totalmem } from "node:os";

export const loadNow = (): number => Number((loadavg()[0] ?? NaN).toFixed(2));

/** What a figure is worth depends on where it was measured. */
export function machineFacts() {
  const all = cpus();
  return {
    at: new Date().toISOString(),
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadNow(),
  };
}
