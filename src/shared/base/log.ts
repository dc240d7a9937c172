import { messageOf } from "./errors.ts";
import { maskCredentials } from "./redact.ts";

/** Logs: one shape, JSON lines, no secrets. What is logged is ids, names, states, codes and numbers, never texts of a definition. */
export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

export function jsonLog(write: (level: LogLevel, line: string) => void): Log {
  return (level, event, fields = {}) => {
    const clean = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? oneLine(value) : value,
    ]);
    write(level, JSON.stringify({ event, ...Object.fromEntries(clean) }));
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
