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

function watchParents(changed: () => void): void {
  const before = aboveUs(process.ppid, statOf);
  const timer = setInterval(() => {
    if (aboveUs(process.ppid, statOf) === before) return;
    clearInterval(timer);
    changed();
  }, 500);
  timer.unref();
}

/**
 * Who has to live so that npm does: npm runs a shell that runs us, or that has become us. The end of either shows as a change of
 * somebody's parent. Who started npm may end, as a script does after `npm start &`.
 *
 * @param parent our parent's pid
 * @param read what the system says of a process, where it does so without starting a program
 */
export function aboveUs(parent: number, read: (pid: number) => string | undefined): string {
  const [, name = "", grandparent = ""] = /\((.*)\) \S+ (\d+)/s.exec(read(parent) ?? "") ?? []; // proc(5): PID (NAME) STATE PARENT ...
  return /^\w*sh$/.test(name) ? `${parent} ${grandparent}` : String(parent);
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}
