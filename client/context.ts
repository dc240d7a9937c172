import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { decodeUtf8 } from "../src/shared/base/written-text.ts";
import { Misuse } from "./errors.ts";
import { AciProxy, defaultUrl } from "./aci-proxy.ts";
import { located } from "./show.ts";

/** What every command works with: the service that the global options name, and where output goes. */
export interface Context {
  readonly service: AciProxy;
  /** Replies as JSON on stdout instead of text. */
  readonly json: boolean;
}

export function contextOf(command: Command): Context {
  const { url, key, token, json } = command.optsWithGlobals<{
    url: string;
    key?: string;
    token?: string;
    json?: boolean;
  }>();
  return { service: new AciProxy(url || defaultUrl, { key, token }), json: json === true };
}

/** For results: what a pipe gets. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For everything else: progress, warnings, faults. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** What a call that changes something says it did. */
export function printReply(json: boolean, reply: { readonly message: string }): void {
  if (json) printJson(reply);
  else print(reply.message);
}

/**
 * @param file `-` for stdin
 * @throws Misuse when it can't be read, or is not UTF-8
 */
export async function readDefinition(file: string): Promise<string> {
  const text = decodeUtf8(await readBytes(file));
  if (text.ok) return text.value;
  const { line, column, message } = text.error;
  throw new Misuse(located(file, { path: "", line, column, message }));
}

/** @throws Misuse when it can't be read */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return file === "-" ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new Misuse(`cannot read ${file}: ${causeOf(error)}`);
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
};

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = "code" in error ? causes[String(error.code)] : undefined;
  return cause ?? error.message;
}
