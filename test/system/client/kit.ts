import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import { freePorts } from "../../../local/stack/ports.ts";
import { demoSettings } from "../../../local/stack/settings.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { programs } from "../../kit/part.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const client = fileURLToPath(new URL("../../../bin/aci-proxy.mjs", import.meta.url));

/** The command, as it was built, as a process. */
export class Command {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly exitCode: Promise<number | null>;

  /** `stdout`: a file's descriptor in its place. */
  constructor(
    words: readonly string[],
    { env = {}, input = "", stdout }: { env?: NodeJS.ProcessEnv; input?: string; stdout?: number } = {},
  ) {
    const own = { NO_COLOR: "1", ACI_PROXY_KEY: "", ACI_PROXY_TOKEN: "", ACI_PROXY_URL: "", ...env };
    this.child = spawn(process.execPath, [client, ...words], {
      env: { ...process.env, ...own },
      stdio: ["pipe", stdout ?? "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (bytes: Buffer) => (this.stdout += bytes.toString()));
    this.child.stderr?.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    this.child.stdin?.end(input);
    this.exitCode = new Promise((resolve) => this.child.once("close", resolve));
  }
}

/** npm as its user runs it: what the test's own npm was given does not count. */
export async function npm(cwd: string, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", words, {
    cwd,
    shell: process.platform === "win32",
    env: npmFreeEnv(),
  });
  return stdout;
}

/** This process's environment without npm's own. */
export function npmFreeEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

const packed = z.tuple([
  z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) }),
]);

/** Packs what was built and installs it, without a network, into an empty project. */
export async function installPackage(project: string): Promise<z.infer<typeof packed>[0]> {
  const [report] = packed.parse(JSON.parse(await npm(root, "pack", "--json", "--pack-destination", project)));
  await writeFile(join(project, "package.json"), "{}");
  await npm(project, "install", "--offline", "--no-audit", "--no-fund", join(project, report.filename));
  return report;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly key: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** `headers` and `json` or `text` of a reply; a function writes its own. */
export type Reply =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly json?: unknown;
      readonly text?: string;
    }
  | ((response: ServerResponse) => void);

/**
 * Stands where the service stands: answers `METHOD /path` with the next of its replies, the last one again and again, and 404
 * without a body to anything else.
 */
export class StandInService {
  readonly requests: Request[] = [];
  readonly #replies = new Map<string, Reply[]>();
  readonly #server: Server;
  url = "";

  constructor() {
    this.#server = createServer((incoming, response) => void this.#answer(incoming, response));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    return this;
  }

  on(call: string, ...replies: Reply[]): this {
    this.#replies.set(call, replies);
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", this.url);
    const method = incoming.method ?? "";
    const key = incoming.headers["x-functions-key"];
    this.requests.push({
      method,
      path: pathname,
      query: Object.fromEntries(searchParams),
      key: typeof key === "string" ? key : undefined,
      headers: incoming.headers,
      body: await text(incoming),
    });
    const replies = this.#replies.get(`${method} ${pathname}`) ?? [];
    const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? { status: 404 };
    if (typeof reply === "function") {
      reply(response);
      return;
    }
    response.writeHead(reply.status, { "retry-after": "0", ...reply.headers });
    response.end(reply.json === undefined ? (reply.text ?? "") : JSON.stringify(reply.json));
  }
}

/** In a file's head: a folder for its tests, and in it a stack with simulated containers. */
export function useStack(): { readonly folder: string; readonly stack: Stack } {
  let [folder, stack]: [string?, Stack?] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "client-test-"));
    const [port = 0] = await freePorts(1);
    const settings = demoSettings(port, join(folder, "stack"), { ...process.env, ACI_ENGINE: "simulated" }, false);
    if ("faults" in settings) throw new Error(settings.faults.join(" "));
    stack = await startStack(settings, programs, new AbortController().signal);
  });
  afterAll(async () => {
    await stack?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
  const begun = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("The stack is there once the tests begin.");
    return value;
  };
  return {
    get folder() {
      return begun(folder);
    },
    get stack() {
      return begun(stack);
    },
  };
}
