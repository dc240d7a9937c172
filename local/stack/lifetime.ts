import { readFileSync } from "node:fs";

/** Milliseconds. Ctrl-C under npm arrives twice, from the terminal and from npm, and is still one wish. */
const oneWish = 1000;

/**
 * Aborted when this process shall stop: Ctrl-C, SIGTERM, the terminal closing, nobody reading its output any more, or the end of
 * the `npm` that runs it (a killed npm notifies nobody). Asked again, it ends at once; its parts then notice that and end.
 */
export function untilAsked(): AbortSignal {
  const asked = new AbortController();
  let askedAt = 0;
  const ask = (): void => {
    if (!asked.signal.aborted) askedAt = performance.now();
    else if (performance.now() - askedAt > oneWish) process.exit(130);
    asked.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, ask);
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => asked.abort());
  if (process.env["npm_lifecycle_event"] !== undefined) watchParents(() => asked.abort());
  return asked.signal;
}

/** npm runs a shell that runs us: the end of either shows as a change of somebody's parent. */
function watchParents(changed: () => void): void {
  const parents = (): string => `${process.ppid} ${parentOf(process.ppid) ?? ""}`;
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before) return;
    clearInterval(timer);
    changed();
  }, 500);
  timer.unref();
}

/** The parent's pid, where the system provides it without starting a program. */
function parentOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8"); // proc(5): PID (NAME) STATE PARENT ...
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  } catch {
    return undefined;
  }
}
