/** One run of one function, through the library's own invocation model: arguments, hooks, the handler, its outputs. */
import { randomUUID } from "node:crypto";
import type { LoadedApp } from "./app.ts";
import type {
  CoreInvocationContext,
  InvocationModel,
  InvocationRequest,
  InvocationResponse,
  ProgrammingModel,
} from "./core-api.ts";
import type { AppFunction } from "./functions.ts";
import { simpleReply } from "./http-result.ts";
import type { LogLevel, Logs } from "./logs.ts";

export type Outcome =
  { readonly ok: true; readonly response: InvocationResponse } | { readonly ok: false; readonly error: unknown };

export interface InvokerOptions {
  readonly app: LoadedApp;
  readonly logs: Logs;
  readonly functionTimeoutMs: number | undefined;
  /** A run took longer than that, and every run under way has been failed: what they still do has to be ended from outside. */
  readonly onTimeout: () => void;
  /** Writes a run's queue outputs; a failure fails the run. */
  readonly bindOutputs: (ran: AppFunction, response: InvocationResponse) => Promise<void>;
}

/** What an HTTP run brings along. */
export interface HttpCall {
  /** What the handler gets, instead of a request that the library would make. */
  readonly input: unknown;
  /** Set when the app streams: gives the library the connection that the reply goes to. */
  readonly stream: ((invocationId: string) => void) | undefined;
}

interface Result {
  result: unknown;
  error: unknown;
}

class FunctionTimeoutError extends Error {
  override readonly name = "FunctionTimeoutError";
}

/** Of a run that was ended because another one took too long. */
class FunctionTimeoutAbortError extends Error {
  override readonly name = "FunctionTimeoutAbortError";
}

export class Invoker {
  readonly #options: InvokerOptions;
  readonly #model: ProgrammingModel | undefined;
  #running = 0;
  /** Fails a run that is under way. */
  readonly #giveUps = new Set<(error: Error) => void>();
  readonly #waiting: (() => void)[] = [];

  constructor(options: InvokerOptions) {
    this.#options = options;
    this.#model = options.app.model;
  }

  get running(): number {
    return this.#running;
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Runs the function. Never rejects: a handler that throws, or overruns `functionTimeout`, is an outcome. */
  async invoke(called: AppFunction, request: InvocationRequest, http?: HttpCall): Promise<Outcome> {
    const { logs } = this.#options;
    const invocationId = randomUUID();
    const started = performance.now();
    const scope = { function: called.name, invocationId };
    const category = `Function.${called.name}`;
    const ended = (result: string): string =>
      `Executed 'Functions.${called.name}' (${result}, Id=${invocationId}, Duration=${Math.round(performance.now() - started)}ms)`;
    if (logs.enabled("debug", category))
      logs.write("debug", category, `Executing 'Functions.${called.name}' (Id=${invocationId})`, scope);
    this.#running++;
    try {
      const run = this.#run(called, request, http, invocationId);
      const response = await this.#bounded(run, called.name);
      if (logs.enabled("information", category)) logs.write("information", category, ended("Succeeded"), scope);
      return { ok: true, response };
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      logs.write("error", category, `${ended("Failed")} ${reason}`, scope);
      return { ok: false, error };
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** The run, or its failure once it is given up: it can't be stopped, only left. */
  #bounded<T>(run: Promise<T>, name: string): Promise<T> {
    const { functionTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        clearTimeout(timer);
        this.#giveUps.delete(giveUp);
      };
      const giveUp = (error: Error): void => {
        settled();
        reject(error);
      };
      this.#giveUps.add(giveUp);
      const timer =
        functionTimeoutMs === undefined ? undefined : setTimeout(() => this.#timedOut(name, giveUp), functionTimeoutMs);
      run.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => giveUp(error instanceof Error ? error : new Error(String(error), { cause: error })),
      );
    });
  }

  /** As the real host, which restarts the worker: all that runs in it fails, whatever it is. */
  #timedOut(name: string, own: (error: Error) => void): void {
    const { functionTimeoutMs, onTimeout } = this.#options;
    own(new FunctionTimeoutError(`Timeout value of ${functionTimeoutMs} ms exceeded by function: ${name}`));
    const error = new FunctionTimeoutAbortError(`Ended with its worker, because ${name} exceeded its timeout`);
    for (const giveUp of [...this.#giveUps]) giveUp(error);
    onTimeout();
  }

  async #run(
    called: AppFunction,
    request: InvocationRequest,
    http: HttpCall | undefined,
    invocationId: string,
  ): Promise<InvocationResponse> {
    const model = this.#model;
    if (model === undefined) throw new Error("The app registered no programming model.");
    const seen: { context?: object } = {}; // known only after the library's first step, which may log already
    const core: CoreInvocationContext = {
      invocationId,
      metadata: called.metadata,
      request,
      log: (level, category, message) => this.#log(called.name, invocationId, level, category, message, seen.context),
    };
    const invocation = model.getInvocationModel(core);
    const { context, inputs } = await invocation.getArguments();
    seen.context = context;
    if (http !== undefined) inputs.push(http.input);
    const result = await this.#call(called, core, invocation, context, inputs);

    const simple = http === undefined || called.queueOutputs.size > 0 ? undefined : simpleReply(result);
    if (simple !== undefined) return { returnValue: { http: simple } };
    if (http?.stream !== undefined && result !== undefined && result !== null) {
      http.stream(invocationId);
      // The library keeps the request that it just received until some run's arguments take it.
      const inputData = [{ name: called.trigger.binding, data: {} }];
      await model.getInvocationModel({ ...core, request: { inputData, triggerMetadata: {} } }).getArguments();
    }
    const response = await invocation.getResponse(context, result);
    if (called.queueOutputs.size > 0) await this.#options.bindOutputs(called, response);
    return response;
  }

  /** The handler between its hooks, which may change what it is given, what is called, and what comes out. */
  async #call(
    called: AppFunction,
    core: CoreInvocationContext,
    invocation: InvocationModel,
    context: object,
    inputs: unknown[],
  ): Promise<unknown> {
    const { preInvocation, postInvocation } = this.#options.app.registry.hooks;
    if (preInvocation.size === 0 && postInvocation.size === 0)
      return invocation.invokeFunction(context, inputs, called.callback);

    const shared = { hookData: {}, invocationContext: context };
    const pre = { ...shared, inputs, functionCallback: called.callback };
    core.state = "preInvocationHooks";
    for (const hook of preInvocation) await hook(pre);
    const post: Result & Record<string, unknown> = { ...shared, inputs: pre.inputs, result: null, error: null };
    core.state = "invocation";
    try {
      post.result = await invocation.invokeFunction(context, pre.inputs, pre.functionCallback);
    } catch (error) {
      post.error = error;
    }
    core.state = "postInvocationHooks";
    for (const hook of postInvocation) await hook(post);
    // A hook may have put anything in the error's place, or taken it away.
    if (post.error instanceof Error) throw post.error;
    if (post.error !== null && post.error !== undefined) throw new Error("The function failed.", { cause: post.error });
    return post.result;
  }

  #log(
    name: string,
    invocationId: string,
    level: LogLevel,
    category: "user" | "system",
    message: string,
    invocationContext: object | undefined,
  ): void {
    const entry = { level, message, category, hookData: {}, invocationContext };
    for (const hook of this.#options.app.registry.hooks.log) hook(entry);
    const full = category === "user" ? `Function.${name}.User` : `Function.${name}`;
    this.#options.logs.write(entry.level, full, entry.message, { function: name, invocationId });
  }
}
