import { existsSync, readFileSync } from "node:fs";
import pc from "picocolors";
import { Service } from "../../client/service.ts";
import { engineHint } from "./engine.ts";
import { untilAsked } from "./lifetime.ts";
import { PartFailed } from "./part-process.ts";
import { stackSettings, type StackSettings, type StartFlags } from "./settings.ts";
import { CannotStart, drainSeconds, startStack, type Programs, type Stack } from "./stack.ts";

/**
 * `npm start`: the local stack until somebody stops it.
 *
 * @param stateFolder holds one folder for each port
 * @returns the exit code: 0 when asked to stop, 1 when it could not start or a part ended
 */
export async function start(flags: StartFlags, stateFolder: string, programs: Programs): Promise<number> {
  const settings = stackSettings(flags, process.env, stateFolder, (path) => readFileSync(path, "utf8"));
  if ("faults" in settings) {
    for (const fault of settings.faults) tell(`${fault}.`);
    return 1;
  }
  const asked = untilAsked();
  try {
    const stack = await startStack(settings, programs, asked);
    for (const { name, address } of stack.addresses) print(`${name.padEnd(26)} ${pc.cyan(address)}`);
    print(`${"Host key".padEnd(26)} ${hostKey(settings)}`);
    if (settings.arm.kind === "local") {
      const hint = engineHint(settings.arm.engine, process.env, existsSync);
      if (hint !== undefined) print(pc.dim(hint));
    }
    if (settings.arm.kind === "local" && settings.arm.faults.length > 0) {
      print(`${"Faults of the local ACI".padEnd(26)} ${settings.arm.faults.length}`);
    }
    for (const fault of stack.settingFaults) tell(`Invalid setting: ${fault}`);
    print(`ready ${stack.url}`);
    const over = new AbortController();
    void refusalsOf(stack, settings, over.signal).then((refusals) => refusals.forEach(tell));
    const end = await Promise.race([stack.broken, aborted(asked)]);
    over.abort();
    const note = pc.dim(`Functions that run have ${drainSeconds} s to end; Ctrl-C again stops at once.\n`);
    const slow = setTimeout(() => process.stderr.write(note), 1000);
    await stack.stop();
    clearTimeout(slow);
    if (end === undefined) return 0;
    explain(end, settings.folder);
    return 1;
  } catch (error) {
    if (asked.aborted) return 0;
    if (error instanceof CannotStart) tell(`Cannot start: ${error.message}.`);
    else if (error instanceof PartFailed) explain(error, settings.folder);
    else if (error instanceof Error && "syscall" in error) tell(`Cannot start: ${error.message}.`);
    else throw error;
    return 1;
  }
}

/**
 * Why the service takes no jobs, beyond its settings: only it and its storage know. For people who don't ask health: the state of a
 * stack is bound to the subscription of its first start, and that comes from whatever shell they are in.
 */
async function refusalsOf(
  stack: Stack,
  { key, env, storage, folder }: StackSettings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (env["AUTH_MODE"] === "entra") return [];
  const health = await new Service({ url: stack.url, key }).health({ signal }).catch(() => undefined); // its own log has why
  const faults = (health?.faults ?? []).filter((fault) => !stack.settingFaults.includes(fault));
  if (faults.length === 0 || storage === "external") return faults;
  const first = "AZURE_SUBSCRIPTION_ID, TARGETS and AZURE_RESOURCE_MANAGER_ENDPOINT as at its first start";
  return [...faults, `This stack's storage is ${folder}. Set ${first}, choose another --port, or delete that folder.`];
}

/**
 * Says in one line which part failed, and under it what it said last.
 *
 * @param folder where its whole log stays, if it does
 */
export function explain(failure: PartFailed, folder?: string): void {
  const whole = folder === undefined ? "" : ` (all in ${folder}/logs/${failure.part}.log)`;
  const end = /[.?!]$/.test(failure.message) ? "" : ".";
  tell(`The part ${failure.message}${failure.lastLines.length > 0 ? `; its last words${whole}:` : end}`);
  for (const line of failure.lastLines) process.stderr.write(pc.dim(`  ${line}\n`));
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${pc.red(line)}\n`);
}

function hostKey({ env, key }: StackSettings): string {
  if (env["AUTH_MODE"] === "entra") return "none: callers send a token (AUTH_MODE=entra)";
  return env["ACI_PROXY_KEY"] ? "from ACI_PROXY_KEY" : key;
}
