/** Azurite as tests use it: a process of its own, in memory, on free ports, gone with the process that started it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";

export interface Azurite {
  /** For every SDK; TableClient also wants `allowInsecureConnection: true`. */
  readonly connectionString: string;
  readonly ports: { readonly blob: number; readonly queue: number; readonly table: number };
  stop(): Promise<void>;
}

/** Azurite's public development account. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Runs before Azurite in its process: without it a test run that is killed would leave it behind. */
const END_WITH_PARENT = "data:text/javascript,process.on('disconnect',()=>process.exit())";

/** @param accounts what it has instead of the development account, in its own notation */
export async function startAzurite(accounts?: string): Promise<Azurite> {
  const program = createRequire(import.meta.url).resolve("azurite/dist/src/azurite.js");
  const child = fork(
    program,
    [
      ...["--skipApiVersionCheck", "--inMemoryPersistence", "--silent", "--disableTelemetry"],
      ...["blob", "queue", "table"].flatMap((service) => [`--${service}Port`, "0"]),
    ],
    {
      cwd: tmpdir(),
      env: { ...process.env, ...(accounts === undefined ? {} : { AZURITE_ACCOUNTS: accounts }) },
      execArgv: ["--import", END_WITH_PARENT],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  let said = "";
  const listening = await new Promise<Azurite["ports"]>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString("utf8");
      const [blob, queue, table] = ["Blob", "Queue", "Table"].map((service) =>
        Number(
          new RegExp(`Azurite ${service} service is successfully listening at http://[^:]+:(\\d+)`).exec(said)?.[1],
        ),
      );
      if (blob && queue && table) resolve({ blob, queue, table });
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Azurite ended before it listened: ${said}`)));
  });
  const endpoint = (service: "Blob" | "Queue" | "Table", at: number): string =>
    `${service}Endpoint=http://127.0.0.1:${at}/${ACCOUNT}`;
  return {
    ports: listening,
    connectionString: [
      "DefaultEndpointsProtocol=http",
      `AccountName=${ACCOUNT}`,
      `AccountKey=${KEY}`,
      endpoint("Blob", listening.blob),
      endpoint("Queue", listening.queue),
      endpoint("Table", listening.table),
    ].join(";"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL"); // nothing of it is to be kept
      await ended;
    },
  };
}
