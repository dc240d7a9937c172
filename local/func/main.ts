import { spawn, type ChildProcess } from "node:child_process";
import { access, constants, cp, mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { servePart, type Running } from "../part.ts";
import { removeRecord, writeRecord } from "../stack/processes.ts";

/**
 * Azure Functions Core Tools (`func start`) as a part of the stack. Core Tools knows nothing of our supervisor, so this process
 * stands between: it starts `func`, follows it, and takes it along when it ends itself.
 */
const optionsShape = z.object({
  appFolder: z.string(),
  workFolder: z.string(),
  pidFolder: z.string(),
  port: z.number().int(),
  env: z.record(z.string(), z.string()),
});

const app = ["host.json", "package.json", "dist"];

async function start(options: unknown): Promise<Running> {
  const { appFolder, workFolder, pidFolder, port, env } = optionsShape.parse(options);
  const command = await findOnPath("func");
  if (command === undefined) {
    throw new Error("func is not on PATH; install Azure Functions Core Tools 4, or leave out --host func");
  }
  // A folder of its own: `func` watches what it serves, and would restart with every file that changes in the repository.
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  for (const name of app) await cp(join(appFolder, name), join(workFolder, name), { recursive: true });
  await writeFile(join(workFolder, "local.settings.json"), JSON.stringify({ IsEncrypted: false, Values: {} }));

  const child = spawn(command, ["start", "--port", String(port)], {
    cwd: workFolder,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, FUNCTIONS_WORKER_RUNTIME: "node", FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT: "1" },
  });
  process.on("exit", () => child.kill("SIGKILL")); // asked to stop before it served, say
  const ended = endOf(child);
  if (child.pid !== undefined) await writeRecord(pidFolder, "func", child.pid);
  const url = `http://localhost:${port}`;
  const answered = new AbortController();
  try {
    await Promise.race([
      answers(`${url}/admin/host/ping`, answered.signal),
      ended.then((how) => Promise.reject(new Error(`func ended: ${how}`))),
    ]);
  } finally {
    answered.abort();
  }
  let stopping = false;
  void ended.then(() => {
    if (!stopping) process.exit(1); // the supervisor sees a part that ended, and stops the others
  });
  return {
    url,
    stop: async () => {
      stopping = true;
      child.kill("SIGINT"); // as Ctrl-C, which is how Core Tools is stopped
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
      await removeRecord(pidFolder, "func");
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
    child.once("error", (error) => resolve(error.message));
  });
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter((entry) => entry !== "")) {
    const file = join(folder, name);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return undefined;
}

async function answers(url: string, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (reply?.ok) return;
    await delay(100);
  }
}

await servePart(start);
