import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf } from "./errors.ts";
import { maskCredentials } from "./redact.ts";

/** Logs: one shape, JSON lines, no secrets. What is logged is ids, names, states, codes and numbers, never texts of a definition. */
export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;
export type WriteLine = (level: LogLevel, line: string) => void;

/** What the lines of an invocation, and in it those of one job, have in common. */
interface Scope {
  readonly write?: WriteLine;
  readonly fields: LogFields;
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Does work whose lines belong to an invocation: written through it they get their severity and join its request, which the platform
 * does not do with plain stdout (azure-functions-nodejs-library#217).
 */
export function loggingThrough<T>(write: WriteLine, work: () => T): T {
  return scopes.run({ write, fields: {} }, work);
}

/** Does work whose lines have these fields too, unless a line has its own. */
export function loggingWith<T>(fields: LogFields, work: () => T): T {
  const outer = scopes.getStore();
  return scopes.run({ ...outer, fields: { ...outer?.fields, ...fields } }, work);
}

/** @param write where lines go that belong to no invocation */
export function jsonLog(write: WriteLine): Log {
  return (level, event, fields = {}) => {
    const scope = scopes.getStore();
    const clean = Object.entries({ ...scope?.fields, ...fields }).map(([name, value]) => [
      name,
      typeof value === "string" ? oneLine(value) : value,
    ]);
    (scope?.write ?? write)(level, JSON.stringify({ level, event, ...Object.fromEntries(clean) }));
  };
}

/** A log line is one line, whatever a caller put into a name; keys and passwords in addresses are masked, whoever put them there. */
function oneLine(text: string): string {
  return maskCredentials(text.slice(0, 4000).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")).slice(0, 500);
}

export function errorFields(error: unknown): LogFields {
  return {
    error: messageOf(error),
    cause: error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : undefined,
  };
}
