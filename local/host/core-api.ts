/**
 * The host's side of `@azure/functions-core`, the module that the Functions worker injects and that npm does not have.
 *
 * `@azure/functions` asks for it with one lazy `require`, which works in CommonJS and ES module apps alike because the library
 * itself is CommonJS. So patching `Module._load` before the app is imported is enough. One process holds one app: what the
 * library registers goes to the registry that was opened last.
 */
import Module from "node:module";
import type { LogLevel } from "./logs.ts";

/** A value on its way between host and library: the subset of the worker's gRPC union that the library reads or makes. */
export interface RpcTypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: RpcHttp;
}

/** A request to the library, or its reply when streaming is off: the body is whole, and the status is text. */
export interface RpcHttp {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: RpcTypedData | null;
  readonly statusCode?: string;
  readonly cookies?: readonly RpcCookie[];
}

export interface RpcCookie {
  readonly name?: string;
  readonly value?: string;
  readonly domain?: { readonly value?: string } | undefined;
  readonly path?: { readonly value?: string } | undefined;
  readonly expires?: { readonly value?: { readonly seconds?: number } } | undefined;
  readonly secure?: { readonly value?: boolean } | undefined;
  readonly httpOnly?: { readonly value?: boolean } | undefined;
  readonly sameSite?: "none" | "lax" | "strict" | "explicitNone";
  readonly maxAge?: { readonly value?: number } | undefined;
}

export interface RpcBinding {
  readonly type: string;
  readonly direction?: string;
  readonly [property: string]: unknown;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, RpcBinding>>;
}

export type FunctionCallback = (...args: unknown[]) => unknown;

export interface InvocationRequest {
  readonly inputData: readonly { readonly name: string; readonly data: RpcTypedData }[];
  readonly triggerMetadata?: Readonly<Record<string, RpcTypedData>>;
  readonly traceContext?: { readonly traceParent: string; readonly traceState?: string };
}

export interface InvocationResponse {
  readonly returnValue?: RpcTypedData | null;
  readonly outputData?: readonly { readonly name: string; readonly data: RpcTypedData }[] | null;
}

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: InvocationRequest;
  state?: "preInvocationHooks" | "postInvocationHooks" | "invocation";
  log(level: LogLevel, category: "user" | "system", message: string): void;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(worker: Record<string, string>): Promise<Record<string, string>>;
}

const HOOKS = ["appStart", "appTerminate", "preInvocation", "postInvocation", "log"] as const;
export type HookName = (typeof HOOKS)[number];
export type HookCallback = (context: Record<string, unknown>) => unknown;

export interface Registration {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** What one app registered. `close` ends the time in which functions may be registered, as the worker does after start-up. */
export class AppRegistry {
  readonly functions = new Map<string, Registration>();
  readonly hooks: Readonly<Record<HookName, Set<HookCallback>>> = {
    appStart: new Set(),
    appTerminate: new Set(),
    preInvocation: new Set(),
    postInvocation: new Set(),
    log: new Set(),
  };
  /** Where the library's own messages go; the host that runs the app sets it. */
  log: (level: LogLevel, message: string) => void = () => undefined;
  #open = true;

  add(metadata: FunctionMetadata, callback: FunctionCallback): void {
    if (!this.#open) throw systemError(Error, "A function can only be registered during app startup.");
    if (this.functions.has(metadata.name))
      throw systemError(Error, `A function with name "${metadata.name}" is already registered.`);
    this.functions.set(metadata.name, { metadata, callback });
  }

  close(): void {
    this.#open = false;
  }
}

let registry = new AppRegistry();
let model: ProgrammingModel | undefined;
let installed = false;

/** Makes the core module available, and the given registry the one that registrations go to. */
export function useRegistry(next: AppRegistry): void {
  registry = next;
  if (installed) return;
  installed = true;
  const load: unknown = Reflect.get(Module, "_load");
  if (typeof load !== "function")
    throw new Error("This Node has no Module._load, so @azure/functions-core can't be supplied.");
  Reflect.set(Module, "_load", function (this: unknown, ...args: unknown[]): unknown {
    if (args[0] === "@azure/functions-core") return coreApi;
    const loaded: unknown = Reflect.apply(load, this, args);
    return loaded;
  });
}

/** The programming model of the library that was loaded last; undefined when the app registered nothing. */
export function programmingModel(): ProgrammingModel | undefined {
  return model;
}

const coreApi = {
  version: "4.1037.0",
  hostVersion: "4.1037.0",
  setProgrammingModel(next: ProgrammingModel): void {
    model = next;
  },
  getProgrammingModel: programmingModel,
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    const target = registry;
    target.add(metadata, callback);
    return disposable(() => target.functions.delete(metadata.name));
  },
  registerHook(name: string, callback: HookCallback): Disposable {
    const known = HOOKS.find((hook) => hook === name);
    // The library distinguishes old hosts from new ones by exactly this error.
    if (known === undefined) throw systemError(RangeError, `Unrecognized hook "${name}"`);
    const callbacks = registry.hooks[known];
    callbacks.add(callback);
    return disposable(() => callbacks.delete(callback));
  },
  log(level: LogLevel, _category: "user" | "system", message: string): void {
    registry.log(level, message);
  },
};

interface Disposable {
  dispose(): void;
}

function disposable(dispose: () => void): Disposable {
  return { dispose };
}

function systemError(kind: typeof Error, message: string): Error {
  return Object.assign(new kind(message), { isAzureFunctionsSystemError: true });
}
