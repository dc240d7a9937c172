/**
 * A stand-in Key Vault on 127.0.0.1: secrets (get) and RSA keys (get, wrapkey, unwrapkey) by Key Vault's REST form, challenge and
 * error codes included, so that the official clients work with it unmodified. Everything is in memory, but for the first version of each
 * key where a folder is named. It takes any token; nothing
 * else of a vault is here (policies, certificates, deletion with recovery).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { z } from "zod";
import type { Running } from "../part.ts";
import { keptVersion, newVersion, unwrap, wrap, type KeyVersion } from "./keys.ts";

export const vaultOptions = z.strictObject({
  /** 0 takes a free one. */
  port: z.number().int().min(0).max(65_535).default(0),
  /** Secret values by name. */
  secrets: z.record(z.string().regex(/^[0-9A-Za-z-]{1,127}$/), z.string()).default({}),
  /** Names of RSA keys to make. */
  keys: z.array(z.string().regex(/^[0-9A-Za-z-]{1,127}$/)).default([]),
  /** Where those keys are kept, so that they outlive the process. */
  folder: z.string().min(1).optional(),
});

export interface RunningVault extends Running {
  /** Requests that were answered with more than the challenge, as `METHOD PATH`. */
  readonly calls: readonly string[];
  /** Gives a secret a new version, and returns its id. */
  setSecret(name: string, value: string): string;
  removeSecret(name: string): void;
  /** Makes a key's next version, which is the current one then. */
  rotate(name: string): Promise<KeyVersion>;
  removeVersion(name: string, version: string): void;
  /** Every request is answered with that status and code until this is called without them. */
  fail(answer?: { readonly status: number; readonly code: string; readonly retryAfter?: number }): void;
}

interface Failure {
  readonly status: number;
  readonly code: string;
  readonly retryAfter?: number;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const operation = z.object({ alg: z.literal("RSA-OAEP-256"), value: z.base64url() });

/** @throws EADDRINUSE and the like when the port is not available */
export async function startVault(given: z.input<typeof vaultOptions> = {}): Promise<RunningVault> {
  const options = vaultOptions.parse(given);
  const secrets = new Map<string, { readonly version: string; readonly value: string }[]>();
  const keys = new Map<string, KeyVersion[]>();
  const calls: string[] = [];
  let failure: Failure | undefined;
  let made = 0;

  const setSecret = (name: string, value: string): string => {
    const version = String(++made).padStart(32, "0");
    secrets.set(name, [...(secrets.get(name) ?? []), { version, value }]);
    return version;
  };
  const rotate = async (name: string): Promise<KeyVersion> => {
    const version = await newVersion(Date.now());
    keys.set(name, [...(keys.get(name) ?? []), version]);
    return version;
  };
  for (const [name, value] of Object.entries(options.secrets)) setSecret(name, value);
  for (const name of options.keys) {
    if (options.folder === undefined) await rotate(name);
    else keys.set(name, [await keptVersion(options.folder, name, Date.now())]);
  }

  const answer = async (request: IncomingMessage, url: URL): Promise<Answer> => {
    if (failure) {
      const headers = failure.retryAfter === undefined ? {} : { "retry-after": String(failure.retryAfter) };
      return { ...refusal(failure.status, failure.code), headers };
    }
    if (request.headers.authorization === undefined) return challenge(url.origin);
    calls.push(`${request.method ?? "GET"} ${url.pathname}`);
    const [, collection, name = "", version = "", act] = url.pathname.split("/");
    if (collection === "secrets" && request.method === "GET") {
      const found = pick(secrets.get(name), version);
      if (!found) return refusal(404, "SecretNotFound");
      return {
        status: 200,
        body: {
          value: found.value,
          id: `${url.origin}/secrets/${name}/${found.version}`,
          attributes: { enabled: true },
        },
      };
    }
    const key = collection === "keys" ? pick(keys.get(name), version) : undefined;
    if (!key) return refusal(404, "KeyNotFound");
    const kid = `${url.origin}/keys/${name}/${key.version}`;
    if (request.method === "GET" && act === undefined) return { status: 200, body: bundle(kid, key) };
    if (!key.enabled) return refusal(403, "Forbidden");
    const asked = operation.safeParse(await json(request));
    if (!asked.success || (act !== "wrapkey" && act !== "unwrapkey")) return refusal(400, "BadParameter");
    try {
      const value = (act === "wrapkey" ? wrap : unwrap)(key, Buffer.from(asked.data.value, "base64url"));
      return { status: 200, body: { kid, value: value.toString("base64url") } };
    } catch {
      return refusal(400, "BadParameter");
    }
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`);
    answer(request, url).then(
      (given) => send(response, given),
      () => send(response, refusal(500, "InternalError")),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a server that listens on TCP has one
    calls,
    setSecret,
    removeSecret: (name) => void secrets.delete(name),
    rotate,
    removeVersion: (name, version) =>
      void keys.set(
        name,
        (keys.get(name) ?? []).filter((each) => each.version !== version),
      ),
    fail: (given) => (failure = given),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A version by its name, or the newest. */
function pick<V extends { readonly version: string }>(
  versions: readonly V[] | undefined,
  version: string,
): V | undefined {
  return version === "" ? versions?.at(-1) : versions?.find((each) => each.version === version);
}

function bundle(kid: string, { publicKey, enabled, createdAt, expiresAt }: KeyVersion): object {
  const { n, e } = publicKey.export({ format: "jwk" });
  return {
    key: { kid, kty: "RSA", key_ops: ["wrapKey", "unwrapKey"], n, e },
    attributes: {
      enabled,
      created: Math.floor(createdAt / 1000),
      ...(expiresAt === undefined ? {} : { exp: expiresAt }),
    },
  };
}

/** The client's first request carries no token: it asks whom to get one from. */
function challenge(origin: string): Answer {
  const header = `Bearer authorization="${origin}/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"`;
  return { ...refusal(401, "Unauthorized"), headers: { "www-authenticate": header } };
}

function refusal(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `The stand-in vault answers ${code}.` } } };
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}
