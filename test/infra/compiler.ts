import { spawn } from "node:child_process";
import {
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { z } from "zod";
import { bicep, shortLived, without } from "./bicep.ts";

/** Where a deployment goes. */
export interface Scope {
  readonly subscriptionId: string;
  /** Absent: the deployment is the subscription's. */
  readonly resourceGroup?: string;
  readonly location: string;
}

/** What parameter files read from the environment, as far as a test does not say otherwise. */
const clean = { ACI_PROXY_PREFIX: "", ACI_PROXY_ALERT_EMAIL: "operators@example.com" };

const started = new Map<string, Compiler>();

/**
 * The compiler of a worker's test files: its start takes seconds, each further answer tenths. Started by the first test that needs it; it
 * ends with its input, so with the worker.
 *
 * @param env for what parameter files read from the environment: a process has one for all of them
 */
export function warmCompiler(env: NodeJS.ProcessEnv = {}): () => Compiler {
  const key = JSON.stringify(env);
  return () => {
    const compiler = started.get(key) ?? new Compiler({ ...process.env, ...shortLived, ...clean, ...env });
    started.set(key, compiler);
    return compiler;
  };
}

/**
 * `bicep jsonrpc`: a process that is asked over its standard input. It writes no file, and reads each anew for each question, but for
 * a folder's bicepconfig.json, which it reads once.
 * Source: https://github.com/Azure/bicep/blob/main/src/Bicep.Cli/Rpc/ICliJsonRpcProtocol.cs
 */
export class Compiler {
  readonly #connection: MessageConnection;

  constructor(env: NodeJS.ProcessEnv) {
    if (bicep === undefined) throw new Error(without);
    const bicepProcess = spawn(bicep, ["jsonrpc", "--stdio"], { env, stdio: ["pipe", "pipe", "inherit"] });
    const { stdin, stdout } = bicepProcess;
    this.#connection = createMessageConnection(new StreamMessageReader(stdout), new StreamMessageWriter(stdin));
    // requests that wait for a process that is gone fail
    bicepProcess.on("error", () => this.#connection.dispose());
    this.#connection.onClose(() => this.#connection.dispose());
    this.#connection.listen();
  }

  /** Diagnostics of every severity, the linter's too, of the file and all that it uses. */
  async compile(path: string): Promise<Compiled> {
    return compiled.parse(await this.#ask("bicep/compile", { path }));
  }

  /** The file's text, formatted: by default with LF and a newline at its end. */
  async format(path: string): Promise<string> {
    return formatted.parse(await this.#ask("bicep/format", { path })).contents;
  }

  /** The evaluated deployment as JSON text, or why it can't be: a call of `fail()`, say. */
  async snapshot(path: string, scope: Scope): Promise<{ readonly refused: boolean; readonly text: string }> {
    try {
      const answer = await this.#ask("bicep/getSnapshot", { path, metadata: scope });
      return { refused: false, text: snapshot.parse(answer).snapshot };
    } catch (error) {
      if (error instanceof ResponseError && error.code === invocationFailed)
        return { refused: true, text: error.message };
      throw error;
    }
  }

  #ask(method: string, question: object): Promise<unknown> {
    return this.#connection.sendRequest(method, question);
  }
}

/** What the called method threw; a method that this compiler does not have is another code. */
const invocationFailed = -32000;

/** Lines and columns from 0. */
const position = z.object({ line: z.number(), char: z.number() });
const compiled = z.object({
  success: z.boolean(),
  /** The template as JSON text; absent where there is an error, and of a parameter file. */
  contents: z.string().nullish(),
  diagnostics: z.array(
    z.object({
      source: z.string(),
      range: z.object({ start: position }),
      level: z.string(),
      code: z.string(),
      message: z.string(),
    }),
  ),
});
type Compiled = z.infer<typeof compiled>;

/** Diagnostics as the command line has them. */
export const said = ({ diagnostics }: Compiled): string =>
  diagnostics
    .map(({ source, range: { start }, level, code, message }) => {
      const place = `${source}(${start.line + 1},${start.char + 1})`;
      return `${place} : ${level} ${code}: ${message}\n`;
    })
    .join("");

const formatted = z.object({ contents: z.string() });
const snapshot = z.object({ snapshot: z.string() });
